"""The projector on a real stream and a real database."""

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest
import redis
from django.apps import apps
from django.db import Error, connection, transaction
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import LedgerEntry, NotionalLimit, TradingAccount
from engine import tasks
from engine.archive import archived_sequence, read_archive_after
from engine.core.events import AssetDefined, OrderUpdated
from engine.core.types import Change, Side
from engine.journal import EncodedEntry, tail_sequence
from engine.models import JournalEntry, ProjectorPosition
from engine.projector import loop, writer
from engine.projector.loop import (
    JournalGapError,
    JournalMismatchError,
    make_batch,
    project_entries,
    project_journal,
    read_batch,
)
from engine.projector.positions import JOURNAL, PositionBusyError, lock_key, projected_sequence
from engine.projector.rows import PhaseRow, Rows
from engine.projector.writer import known_rows
from engine.tests.journals import (
    START_MS,
    JournalWriter,
    append,
    market_defined,
    operators_journal,
    small_journal,
)
from engine.times import to_datetime
from exchange_site.tests.processes import wait_until
from markets.models import Asset, Market, MarketFees, Order, OrderList, Trade

pytestmark = pytest.mark.django_db

TABLES = (Asset, Market, Order, Trade, LedgerEntry, JournalEntry)


def contents() -> list[list[Any]]:
    return [list(model._default_manager.order_by("pk").values_list()) for model in TABLES]


def project_the_rest(connection: "redis.Redis") -> int:
    """Until the tables stand at the stream's end, however long that takes."""
    tail = tail_sequence(connection)
    return project_journal(connection, seconds=60, should_stop=lambda: projected_sequence() >= tail)


class CrashError(Exception):
    """Stands for whatever ends a process between two statements."""


def crash_at(statement: int) -> Callable[..., object]:
    numbers = itertools.count()

    def wrapper(execute: Callable[..., object], statement_text: str, *rest: object) -> object:
        # Releasing the savepoint stands for COMMIT here: all or nothing by itself.
        if not str(statement_text).startswith("RELEASE") and next(numbers) == statement:
            raise CrashError
        return execute(statement_text, *rest)

    return wrapper


def test_journal_becomes_rows() -> None:
    assert project_entries(small_journal()) == 6
    market = Market.objects.get(symbol="BTCUSDT")
    assert (market.base_id, market.quote_id, market.tick) == ("BTC", "USDT", Decimal("0.1"))
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == [
        "partially_filled",
        "filled",
        "canceled",
        "new",
    ]
    trade = Trade.objects.get(market_id="BTCUSDT", trade_id=2)
    assert (trade.buyer, trade.seller, trade.taker_side) == (2, 1, "buy")
    assert (trade.price, trade.quantity) == (Decimal(50_000), Decimal("0.5"))
    position = ProjectorPosition.objects.get(name=JOURNAL)
    assert (position.sequence, position.digest) == (6, small_journal()[-1].digest)


def test_ledger_sums_to_zero_per_event_and_gives_the_balances() -> None:
    project_entries(small_journal())
    sums: dict[tuple[str, str], Decimal] = {}
    balances: dict[tuple[int | None, str], Decimal] = {}
    for row in LedgerEntry.objects.all():
        event, account = (row.reference, row.asset), (row.account, row.asset)
        sums[event] = sums.get(event, Decimal(0)) + row.amount
        balances[account] = balances.get(account, Decimal(0)) + row.amount
    assert len(sums) == 6
    assert set(sums.values()) == {Decimal(0)}
    assert balances[1, "BTC"] == Decimal("3.5")
    assert balances[2, "BTC"] == Decimal("1.497")
    assert balances[1, "USDT"] == Decimal(74_925)


def test_what_operators_decide_becomes_rows() -> None:
    first, second = operators_journal()
    project_entries([first])
    market = Market.objects.get(symbol="BTCUSDT")
    assert (market.phase, market.phase_until) == ("pre_open", to_datetime(START_MS + 60_000))
    assert (market.max_notional, market.max_open_orders) == (None, None)
    account = TradingAccount.objects.get(account=1)
    assert (account.tier, account.trade_group, account.unlimited_orders) == (1, 7, True)
    project_entries([second])
    market.refresh_from_db()
    assert (market.phase, market.phase_until, market.phase_sequence) == ("open", None, 2)
    account.refresh_from_db()
    assert (account.tier, account.trade_group, account.frozen) == (2, None, True)
    fees = MarketFees.objects.get(market_id="BTCUSDT", tier=1)
    assert (fees.maker_fee_ppm, fees.taker_fee_ppm) == (-100, 500)
    assert NotionalLimit.objects.get(account=1, asset="USDT").amount == Decimal(5)
    assert OrderList.objects.get(list_id=1).order_ids == [8, 9]


def test_the_ledger_knows_transfers_and_withdrawals() -> None:
    project_entries(operators_journal())
    moved = LedgerEntry.objects.exclude(kind="deposit").order_by("position")
    assert list(moved.values_list("kind", "account_kind", "account", "amount", "reference")) == [
        ("transfer", "user", 1, Decimal(-1), "gift"),
        ("transfer", "user", 2, Decimal(1), "gift"),
        ("withdrawal", "user", 1, Decimal(-2), "out"),
        ("withdrawal", "external", None, Decimal(2), "out"),
    ]


def test_a_phase_never_turns_back() -> None:
    first, second = operators_journal()
    project_entries([first, second])
    ProjectorPosition.objects.all().delete()
    project_entries([first])
    assert Market.objects.get(symbol="BTCUSDT").phase == "open"
    assert TradingAccount.objects.get(account=1).tier == 2


def test_archive_gives_the_entries_back_as_they_were() -> None:
    entries = small_journal()
    project_entries(entries)
    assert read_archive_after(sequence=0, count=100) == entries
    assert read_archive_after(sequence=4, count=1) == entries[4:5]
    assert archived_sequence() == 6


def test_stream_is_projected_from_where_the_tables_stand(engine_redis: "redis.Redis") -> None:
    entries = small_journal()
    append(engine_redis, entries[:4])
    assert project_the_rest(engine_redis) == 4
    append(engine_redis, entries[4:])
    assert project_the_rest(engine_redis) == 2
    assert project_the_rest(engine_redis) == 0


def test_batches_are_bounded(engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.projector.loop.PAGE_ENTRIES", 2)
    append(engine_redis, small_journal())
    assert [e.sequence for e in read_batch(engine_redis, 0)] == [1, 2, 3, 4, 5, 6]
    monkeypatch.setattr("engine.projector.loop.MAX_BATCH_ENTRIES", 3)
    assert [e.sequence for e in read_batch(engine_redis, 0)] == [1, 2, 3, 4]
    monkeypatch.setattr("engine.projector.loop.MAX_BATCH_BYTES", 1)
    assert [e.sequence for e in read_batch(engine_redis, 1)] == [2, 3]


@pytest.mark.parametrize(
    ("entries", "size", "pause_s"),
    [
        (0, 0, 0),
        (1, 100, loop.GATHER_S),
        (1, loop.BUSY_BYTES, loop.BUSY_GATHER_S),
        (loop.MAX_BATCH_ENTRIES, loop.BUSY_BYTES, 0),
        (1, loop.MAX_BATCH_BYTES, 0),
    ],
)
def test_entries_gather_unless_there_are_none_or_too_many(
    entries: int, size: int, pause_s: float
) -> None:
    entry = JournalWriter().commit()
    assert loop.Batch([entry] * entries, Rows(), size).pause_s() == pause_s


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cuts=st.lists(st.integers(0, 6), max_size=4),
    repeats=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=4),
    forget=st.integers(0, 6),
)
def test_any_batching_and_replaying_gives_the_same_tables(
    db: None, cuts: list[int], repeats: list[tuple[int, int]], forget: int
) -> None:
    entries = small_journal()
    with transaction.atomic():
        project_entries(entries)
        once = contents()
        transaction.set_rollback(True)
    with transaction.atomic():
        borders = sorted({0, *cuts, 6})
        for start, end in itertools.pairwise(borders):
            project_entries(entries[start:end])
        # Again, with the position as it is: skipped. With a lost position: written again.
        for start, end in repeats:
            assert project_entries(entries[start:end]) == 6
        ProjectorPosition.objects.update(sequence=forget)
        project_entries(entries)
        twice = contents()
        transaction.set_rollback(True)
    assert twice == once


def test_rows_made_ahead_are_not_written_where_others_were_quicker() -> None:
    """Two tasks at once, for a moment: the slower one read the same entries before."""
    entries = small_journal()
    project_entries(entries)
    once = contents()
    ProjectorPosition.objects.all().delete()
    known = known_rows()
    ahead = make_batch(entries, known.scales, known.pairs)
    project_entries(entries[:3])
    assert project_entries(entries, ahead.rows) == 6
    assert project_entries(entries, ahead.rows) == 6
    assert contents() == once


def test_old_rules_and_states_do_not_come_back() -> None:
    journal = JournalWriter()
    journal.define()
    first = journal.commit()
    journal.emit(market_defined("BTCUSDT", "BTC", "USDT", tick=500_000))
    project_entries([first, journal.commit()])
    ProjectorPosition.objects.update(sequence=0)
    project_entries([first])
    assert Market.objects.get(symbol="BTCUSDT").tick == Decimal("0.5")


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_gap_is_refused(missing: int) -> None:
    entries = small_journal()
    del entries[missing]
    with pytest.raises(JournalGapError, match=rf"at journal entry {missing} .* 1 entries"):
        project_entries(entries)
    assert projected_sequence() == 0
    assert not Asset.objects.exists()


def test_trimmed_stream_is_a_gap_only_where_the_archive_ends_before(
    engine_redis: "redis.Redis",
) -> None:
    entries = small_journal()
    project_entries(entries[:3])
    append(engine_redis, entries[4:])
    with pytest.raises(JournalGapError, match="Restore"):
        project_the_rest(engine_redis)
    project_entries(entries[3:4])
    assert project_the_rest(engine_redis) == 2


def test_stream_of_another_history_is_refused(engine_redis: "redis.Redis") -> None:
    entries = small_journal()
    project_entries(entries)
    with pytest.raises(JournalMismatchError, match="ends at 0"):
        project_the_rest(engine_redis)
    append(engine_redis, [*entries[:5], altered(entries[5])])
    with pytest.raises(JournalMismatchError, match="another entry"):
        project_the_rest(engine_redis)


@pytest.fixture
def another_projector() -> Iterator[None]:
    """Another process in the middle of its transaction."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, %s)", lock_key(JOURNAL))
        yield


@pytest.mark.usefixtures("another_projector")
def test_second_projector_steps_back(engine_redis: "redis.Redis") -> None:
    with pytest.raises(PositionBusyError):
        project_entries(small_journal())
    append(engine_redis, small_journal())
    assert tasks.project_journal() == 0
    assert not Asset.objects.exists()


def test_task_projects_for_its_time(
    engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "PROJECT_SECONDS", 1.0)
    append(engine_redis, small_journal())
    projected: list[int] = []

    def all_is() -> bool:
        projected.append(tasks.project_journal())
        return sum(projected) >= 6

    wait_until(all_is, "all is projected")
    assert sum(projected) == 6


def altered(entry: EncodedEntry) -> EncodedEntry:
    return msgspec.structs.replace(entry, digest="00")


def test_crash_between_any_two_statements_leaves_nothing() -> None:
    entries = small_journal()
    empty = contents()
    for statement in itertools.count():
        try:
            with connection.execute_wrapper(crash_at(statement)):
                project_entries(entries)
        except CrashError:
            assert contents() == empty
            assert projected_sequence() == 0
        else:
            break
    assert statement > 10
    assert projected_sequence() == 6


@pytest.mark.parametrize("table", [LedgerEntry, JournalEntry, Trade])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET sequence = 99", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_records_are_only_ever_added(table: type[Model], statement: str) -> None:
    project_entries(small_journal())
    before = contents()
    with (
        pytest.raises(Error, match="its rows are a record"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table._meta.db_table))
    assert contents() == before


@pytest.mark.parametrize(
    "change",
    [
        {"account_kind": "somebody"},
        {"kind": "gift"},
        {"account": None},
        {"account_kind": "house"},
        {"amount": Decimal(0)},
    ],
)
def test_ledger_constraints(change: dict[str, object]) -> None:
    row: dict[str, Any] = {
        "sequence": 1,
        "position": 0,
        "time": "2026-01-01T00:00:00Z",
        "account_kind": "user",
        "account": 1,
        "asset": "BTC",
        "amount": Decimal(1),
        "kind": "trade",
        "reference": "BTCUSDT:1",
    }
    LedgerEntry.objects.create(**row)
    with pytest.raises(Error, match="violates check constraint"), transaction.atomic():
        LedgerEntry.objects.create(**row | {"position": 1} | change)


@pytest.mark.parametrize(
    "target",
    [
        writer.ASSETS,
        writer.MARKETS,
        writer.FEES,
        writer.ACCOUNTS,
        writer.NOTIONAL_LIMITS,
        writer.ORDERS,
        writer.ORDER_LISTS,
        writer.TRADES,
        writer.LEDGER,
        writer.ARCHIVE,
    ],
)
def test_rows_name_every_column_of_their_table(target: writer.Target) -> None:
    models = {model._meta.db_table: model for model in apps.get_models()}
    columns = {f.column for f in models[target.table]._meta.concrete_fields if f.column}
    elsewhere = {"id", *PhaseRow._fields} - {"symbol"}
    assert columns - elsewhere == set(target.columns)


def test_text_that_postgresql_cannot_hold_does_not_halt_the_rest() -> None:
    journal = JournalWriter()
    journal.define()
    journal.emit(AssetDefined("ODD", 0))
    journal.deposit(1, "ODD", 2**63 - 1, "k\x00y\t\\N\n")
    journal.place(1, Side.BUY, 1_000_000, 1_000, client_order_id="\\N\x00")
    project_entries([journal.commit()])
    assert Order.objects.get().client_order_id == "\\N\ufffd"
    assert LedgerEntry.objects.get(account=1).amount == 2**63 - 1
    assert LedgerEntry.objects.get(account=1).reference == "k\ufffdy\t\\N\n"


HOSTILE = (
    *("\\.", "\\N", "\\", "\t", "a\nb", "\r\n", "\x00"),  # to COPY
    *("NULL", '"', '\\"', "{},", "'; --", " ", "é€\U0001f600"),  # to an array, or to SQL
)


def test_hostile_texts_arrive_as_they_are() -> None:
    journal = JournalWriter()
    journal.define()
    for number, text in enumerate(HOSTILE):
        journal.deposit(number + 1, "BTC", 1, text)
        journal.place(number + 1, Side.BUY, 1_000_000, 1_000, client_order_id=text)
    entries = [journal.commit()]
    for order_id in list(journal.orders):
        # Amended, so that the text is written anew.
        order = journal.orders[order_id]
        terms = msgspec.structs.replace(order.terms, client_order_id=f"{HOSTILE[order_id - 1]}2")
        journal.emit(OrderUpdated(2, Change.AMENDED, msgspec.structs.replace(order, terms=terms)))
    entries.append(journal.commit())
    expected = [text.replace("\x00", "\ufffd") for text in HOSTILE]
    orders = Order.objects.order_by("order_id").values_list("client_order_id", flat=True)
    deposits = LedgerEntry.objects.filter(account__isnull=False).order_by("position")
    project_entries(entries[:1])
    assert list(orders.all()) == expected
    assert list(deposits.values_list("reference", flat=True)) == expected
    project_entries(entries)
    assert list(orders.all()) == [f"{text}2" for text in expected]


def test_orders_change_in_every_column_that_can() -> None:
    """An order that came with an earlier batch looks as if it had come with this one."""
    journal = JournalWriter()
    journal.define()
    for _ in range(3):
        journal.place(1, Side.SELL, 50_000_000_000, 2 * 10**8, client_order_id="ask")
    journal.place(2, Side.BUY, 50_000_000_000, 10**8)
    entries = [journal.commit()]
    order = journal.orders[1]
    terms = msgspec.structs.replace(
        order.terms, price=49_000_000_000, quantity=10**8, client_order_id=None
    )
    journal.orders[1] = msgspec.structs.replace(order, terms=terms, prevented_quantity=7)
    journal.emit(OrderUpdated(2, Change.AMENDED, journal.orders[1]))
    journal.trade(2, 4, 10**7)
    journal.orders[3] = msgspec.structs.replace(journal.orders[3], working_since=None)
    journal.cancel(3)
    entries.append(journal.commit())
    orders = Order.objects.order_by("order_id").values_list()
    with transaction.atomic():
        project_entries(entries)
        at_once = list(orders.all())
        transaction.set_rollback(True)
    for entry in entries:
        project_entries([entry])
    assert list(orders.all()) == at_once


def test_a_changed_order_that_is_missing_is_written_whole() -> None:
    entries = small_journal()
    project_entries(entries[:4])
    Order.objects.filter(order_id=3).delete()
    project_entries(entries[4:])
    assert Order.objects.count() == 4
    assert Order.objects.get(order_id=3).status == "canceled"
