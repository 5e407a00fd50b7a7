"""Which rows journal entries mean, without a database."""

from collections import defaultdict
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.events import Deposited, OrderUpdated, Traded, Transferred, WithdrawalUpdated
from engine.core.types import (
    MAX_AMOUNT,
    Change,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
    WithdrawalStatus,
)
from engine.projector.copying import NULL
from engine.projector.postings import (
    Posting,
    postings_of_deposit,
    postings_of_trade,
    postings_of_transfer,
    postings_of_withdrawal,
)
from engine.projector.rows import Pair, Rows, clean, timestamp
from engine.tests.journals import JournalWriter, small_journal

amounts = st.integers(1, MAX_AMOUNT)
fees = st.integers(-(10**12), 10**12)
accounts = st.integers(1, 5)


def rows_of_small_journal() -> Rows:
    rows = Rows()
    for entry in small_journal():
        rows.add(entry)
    return rows


def sums(postings: list[Posting]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for posting in postings:
        total[posting.asset] += posting.amount
    return total


@given(amounts, amounts, amounts, fees, fees, accounts, accounts)
def test_postings_of_a_trade_sum_to_zero(
    price: int, quantity: int, quote: int, fee: int, other_fee: int, buyer: int, seller: int
) -> None:
    trade = Traded(
        "BTCUSDT", 1, price, quantity, quote, Side.BUY, buyer, seller, 1, 2, fee, other_fee
    )
    postings = list(postings_of_trade(trade, "BTC", "USDT"))
    assert set(sums(postings).values()) == {0}
    house = [p.amount for p in postings if p.account_kind == "house"]
    assert house == [f for f in (fee, other_fee) if f]


@given(amounts, st.sampled_from(WithdrawalStatus))
def test_postings_of_a_withdrawal_sum_to_zero(amount: int, status: WithdrawalStatus) -> None:
    event = WithdrawalUpdated(1, 7, 3, "BTC", amount, status, "key")
    postings = [(p.account_kind, p.account, p.amount) for p in postings_of_withdrawal(event)]
    settled = [("user", 7, -amount), ("external", None, amount)]
    assert postings == (settled if status is WithdrawalStatus.SETTLED else [])


@given(amounts)
def test_a_transfer_is_posted_once(amount: int) -> None:
    events = (
        Transferred(1, 7, 8, "BTC", -amount, "key"),
        Transferred(1, 8, 7, "BTC", amount, "key"),
    )
    postings = [posting for event in events for posting in postings_of_transfer(event)]
    assert [(p.account, p.amount) for p in postings] == [(7, -amount), (8, amount)]


@given(amounts)
def test_postings_of_a_deposit_sum_to_zero(amount: int) -> None:
    postings = list(postings_of_deposit(Deposited(1, 7, "BTC", amount, "key")))
    assert [(p.account_kind, p.account, p.amount) for p in postings] == [
        ("external", None, -amount),
        ("user", 7, amount),
    ]


def test_ledger_rows_are_numbered_within_each_journal_entry() -> None:
    ledger = rows_of_small_journal().ledger
    assert [(row.sequence, row.position) for row in ledger] == [
        *((1, position) for position in range(4)),
        *((3, position) for position in range(16)),
    ]


def test_amounts_are_decimal_text_of_their_asset() -> None:
    rows = rows_of_small_journal()
    first = rows.trades[0]
    # BTC has 8 places, USDT 6: a price counts USDT, and so does the seller's fee.
    assert (first.price, first.quantity, first.quote_quantity) == (
        "50000.000000",
        "1.00000000",
        "50000.000000",
    )
    assert (first.buyer_fee, first.seller_fee) == ("0.00200000", "50.000000")
    assert rows.markets["BTCUSDT"].tick == "0.100000"
    assert rows.markets["BTCUSDT"].step == "0.00001000"
    assert [row.amount for row in rows.ledger[:2]] == ["-5.00000000", "5.00000000"]


def test_only_the_last_state_of_an_order_is_kept() -> None:
    orders = {row.order_id: row for row in rows_of_small_journal().accepted_orders}
    assert {key: (row.status, row.sequence) for key, row in orders.items()} == {
        1: ("partially_filled", 3),
        2: ("filled", 3),
        3: ("canceled", 5),
        4: ("new", 6),
    }
    assert orders[1].executed_quantity == "1.50000000"
    assert orders[1].executed_quote_quantity == "75000.000000"
    assert orders[1].client_order_id == "ask"


def test_orders_of_earlier_entries_are_told_from_those_that_came() -> None:
    writer = JournalWriter()
    writer.define()
    writer.place(1, Side.BUY, 50_000_000_000, 10**8)
    known = Rows()
    known.add(writer.commit())
    later = Rows(known.scales, known.pairs)
    writer.place(1, Side.BUY, 40_000_000_000, 10**8)
    writer.cancel(1)
    writer.cancel(2)
    later.add(writer.commit())
    assert [(row.order_id, row.status) for row in later.accepted_orders] == [(2, "canceled")]
    assert [(row.order_id, row.status) for row in later.changed_orders] == [(1, "canceled")]


def test_amended_orders_are_told_from_those_that_only_went_on() -> None:
    writer = JournalWriter()
    writer.define()
    orders = [writer.place(1, Side.BUY, 50_000_000_000, 10**8) for _ in range(3)]
    known = Rows()
    known.add(writer.commit())
    later = Rows(known.scales, known.pairs)
    writer.emit(OrderUpdated(2, Change.AMENDED, writer.orders[orders[1]]))
    for order_id in orders[:2]:
        writer.cancel(order_id)
    later.add(writer.commit())
    for amended, order_id in ((False, orders[0]), (True, orders[1])):
        (change,) = later.order_changes(amended=amended)
        assert (change.order_id, change.status, change.change) == (order_id, "canceled", "canceled")


def test_every_term_of_an_order_has_its_column() -> None:
    writer = JournalWriter()
    writer.define()
    writer.place(1, Side.BUY, 50_000_000_000, 2 * 10**8)
    placed = writer.orders[1]
    terms = msgspec.structs.replace(
        placed.terms,
        type=OrderType.STOP_LOSS_LIMIT,
        time_in_force=TimeInForce.GTD,
        good_till=0,
        stop_price=51_000_000_000,
        trailing_delta=150,
        visible_quantity=10**7,
        self_trade_prevention=SelfTradePrevention.DECREMENT,
    )
    order = msgspec.structs.replace(
        placed, terms=terms, prevented_quantity=10**8, working_since=None, list_id=4
    )
    writer.emit(OrderUpdated(2, Change.PREVENTED, order))
    rows = Rows()
    rows.add(writer.commit())
    (row,) = rows.accepted_orders
    assert (row.type, row.time_in_force) == ("stop_loss_limit", "gtd")
    assert (row.stop_price, row.trailing_delta) == ("51000.000000", 150)
    assert (row.visible_quantity, row.prevented_quantity) == ("0.10000000", "1.00000000")
    assert (row.self_trade_prevention, row.change) == ("decrement", "prevented")
    assert (row.working_since, row.list_id) == (NULL, 4)


def test_what_is_prevented_of_an_order_by_quote_amount_counts_quote() -> None:
    writer = JournalWriter()
    writer.define()
    writer.place(1, Side.BUY, 50_000_000_000, 10**8)
    placed = writer.orders[1]
    terms = msgspec.structs.replace(placed.terms, quantity=None, quote_quantity=10**9)
    order = msgspec.structs.replace(placed, terms=terms, prevented_quantity=5 * 10**8)
    writer.emit(OrderUpdated(2, Change.PREVENTED, order))
    rows = Rows()
    rows.add(writer.commit())
    assert rows.accepted_orders[0].prevented_quantity == "500.000000"


def test_archive_keeps_every_entry() -> None:
    assert [row.sequence for row in rows_of_small_journal().archive] == [1, 2, 3, 4, 5, 6]


def test_known_markets_make_a_later_entry_readable_alone() -> None:
    whole, late = (
        rows_of_small_journal(),
        Rows({"BTC": 8, "USDT": 6}, {"BTCUSDT": Pair("BTC", "USDT", 8, 6)}),
    )
    late.add(small_journal()[2])
    assert late.trades == whole.trades


def test_unknown_market_is_a_loud_error() -> None:
    with pytest.raises(KeyError):
        Rows().add(small_journal()[2])


@given(st.integers(0, MAX_AMOUNT), st.integers(0, 8))
def test_amounts_of_all_scales_fit_the_columns(amount: int, scale: int) -> None:
    writer = JournalWriter()
    writer.deposit(1, "X", amount, "key")
    rows = Rows({"X": scale})
    rows.add(writer.commit())
    credited = Decimal(rows.ledger[1].amount)
    assert credited == Decimal(amount).scaleb(-scale)
    assert credited < 10**20
    assert -int(credited.as_tuple().exponent) <= 8


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01 00:00:00+00:00"),
        (1_760_000_000_001, "2025-10-09 08:53:20.001000+00:00"),
        (2**63 - 1, "9999-12-31 23:59:59.999000+00:00"),
    ],
)
def test_times_that_no_calendar_holds_become_the_last_one(time_ms: int, text: str) -> None:
    assert timestamp(time_ms) == text


def test_text_that_postgresql_cannot_hold_is_replaced() -> None:
    assert clean("a\x00b") == "a\ufffdb"
