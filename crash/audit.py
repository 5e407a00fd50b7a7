"""Compare what traders were told with the journal, the live engine and the tables."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg

from crash.record import Record
from engine.archive import decompress
from engine.connections import connect
from engine.core.events import Event, OrderUpdated, Traded
from engine.core.snapshot import state_hash
from engine.core.types import NEW
from engine.journal import EncodedEntry, read_after, tail_sequence
from engine.worker.recovery import Replica
from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange

CATCH_UP_S = 900.0
PAGE_ENTRIES = 50


@dataclass
class Journal:
    """The whole journal, replayed by a core of our own."""

    replica: Replica = field(default_factory=Replica)
    placed: Counter[str] = field(default_factory=Counter)
    order_ids: dict[str, int] = field(default_factory=dict)
    trades: int = 0
    epochs: set[int] = field(default_factory=set)

    def read(self, entries: Iterable[EncodedEntry]) -> None:
        for entry in entries:
            self.replica.apply(entry)
            self.epochs.add(entry.epoch)
            for events in entry.decode_events():
                for event in events:
                    self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Traded):
            self.trades += 1
        elif isinstance(event, OrderUpdated) and event.order.status is NEW:
            name = event.order.terms.client_order_id or ""
            self.placed[name] += 1
            self.order_ids[name] = event.order.order_id


@dataclass(frozen=True)
class Findings:
    """`lost`, `doubled` and `invented` count orders, and are zero."""

    acknowledged: int
    unknown: int
    lost: int
    doubled: int
    invented: int
    epochs: int
    hash_equal: bool
    zero_sum: bool
    orders_equal: bool
    trades_equal: bool
    balances_equal: bool

    @property
    def clean(self) -> bool:
        counts = self.lost, self.doubled, self.invented
        equal = self.orders_equal, self.trades_equal, self.balances_equal
        return not any(counts) and self.hash_equal and self.zero_sum and all(equal)


def audit(exchange: RunningExchange, record: Record) -> Findings:
    """When nobody trades any more. Waits for the projector."""
    state = exchange.state()
    wait_for_projection(exchange)
    journal = Journal()
    journal.read(read_journal(exchange))
    told, placed = record.acknowledged, journal.placed
    with psycopg.connect(exchange.database_url) as tables:
        orders: dict[str, int] = dict(
            tables.execute("SELECT client_order_id, order_id FROM markets_order")
        )
        [(trades,)] = tables.execute("SELECT count(*) FROM markets_trade")
        balances = balances_in(tables, state["assets"])
    return Findings(
        acknowledged=len(told),
        unknown=len(record.unknown - told.keys() - record.refused),
        lost=sum(journal.order_ids.get(name) != order_id for name, order_id in told.items()),
        doubled=sum(count > 1 for count in placed.values()) + len(record.contradicted),
        invented=sum(name not in record.sent or name in record.refused for name in placed),
        epochs=len(journal.epochs),
        hash_equal=state["state_hash"] == state_hash(journal.replica.engine),
        zero_sum=all(Decimal(asset["sum"]) == 0 for asset in state["assets"].values()),
        orders_equal=orders == journal.order_ids,
        trades_equal=trades == journal.trades,
        balances_equal=balances == balances_of(journal.replica),
    )


def read_journal(exchange: RunningExchange) -> Iterator[EncodedEntry]:
    """Every entry; those that were trimmed from the stream are in the archive."""
    sequence = 0
    with (
        connect(exchange.engine_redis_url) as stream,
        psycopg.connect(exchange.database_url) as tables,
    ):
        while True:
            entries = read_after(stream, sequence, count=PAGE_ENTRIES)
            if entries and entries[0].sequence > sequence + 1:
                entries = read_archived(tables, sequence) or entries
            if not entries:
                return
            yield from entries
            sequence = entries[-1].sequence


def read_archived(tables: "psycopg.Connection[Any]", after: int) -> list[EncodedEntry]:
    rows = tables.execute(
        "SELECT sequence, epoch, core, extract(epoch FROM time) * 1000, commands, events, digest"
        " FROM engine_journalentry WHERE sequence > %s ORDER BY sequence LIMIT %s",
        (after, PAGE_ENTRIES),
    )
    return [
        EncodedEntry(
            sequence, epoch, core, int(time), decompress(commands), decompress(events), digest
        )
        for sequence, epoch, core, time, commands, events, digest in rows
    ]


def wait_for_projection(exchange: RunningExchange) -> None:
    """Up to where the journal ends now."""
    with connect(exchange.engine_redis_url) as stream:
        sequence = tail_sequence(stream)

    def projected() -> bool:
        with psycopg.connect(exchange.database_url) as tables:
            rows = tables.execute("SELECT min(sequence) FROM engine_projectorposition")
            [(position,)] = rows.fetchall()
        return position is not None and position >= sequence

    wait_until(projected, "the projector has caught up", timeout_s=CATCH_UP_S)


def balances_of(replica: Replica) -> dict[tuple[int, str], int]:
    """What each account owns, in smallest units; locked or not."""
    return {
        (account.number, balance.asset): balance.available + balance.locked
        for account in replica.engine.accounts
        for balance in account.balances.values()
        if balance.available + balance.locked
    }


def balances_in(tables: "psycopg.Connection[Any]", assets: Any) -> dict[tuple[int, str], int]:
    """The same, by the sums of the ledger's rows."""
    scales = dict(tables.execute("SELECT symbol, scale FROM markets_asset").fetchall())
    assert scales.keys() == assets.keys()
    rows = tables.execute(
        "SELECT account, asset, sum(amount) FROM accounts_ledgerentry"
        " WHERE account_kind = 'user' GROUP BY account, asset"
    )
    return {
        (account, asset): int(amount.scaleb(scales[asset]))
        for account, asset, amount in rows
        if amount
    }
