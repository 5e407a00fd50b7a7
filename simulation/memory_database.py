"""PostgreSQL in memory: tables that a transaction changes whole or not at all."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from engine.journal import EncodedEntry
from engine.projector.loop import JournalGapError, JournalMismatchError
from engine.projector.rows import AssetRow, MarketRow, Pair, Rows
from engine.projector.writer import (
    ACCOUNTS,
    ARCHIVE,
    ASSETS,
    FEES,
    LEDGER,
    MARKETS,
    NOTIONAL_LIMITS,
    ORDER_LISTS,
    ORDERS,
    TRADES,
    Target,
)
from engine.snapshots.codec import OpenSnapshot, Packed, SnapshotInvalid, is_whole
from engine.worker.loader import witness_of
from engine.worker.ports import KeptSnapshot, Witness

_KEYS: dict[str, tuple[str, ...]] = {
    ASSETS.table: ("symbol",),
    TRADES.table: ("market_id", "trade_id"),
    LEDGER.table: ("sequence", "position"),
    ARCHIVE.table: ("sequence",),
}
"""Of records. What has a state says itself whose it is."""


class DatabaseDown(Exception):
    """PostgreSQL does not answer."""


class Tables:
    """Rows by table and key."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[tuple[Any, ...], Any]] = {}

    def write(self, rows: Rows) -> None:
        states: list[tuple[Target, Collection[Any]]] = [
            (ASSETS, rows.assets.values()),
            (MARKETS, rows.markets.values()),
            (FEES, rows.fees.values()),
            (ACCOUNTS, rows.accounts.values()),
            (NOTIONAL_LIMITS, rows.notional_limits.values()),
            (ORDERS, rows.accepted_orders),
            (ORDERS, rows.changed_orders),
            (ORDER_LISTS, rows.order_lists.values()),
            (TRADES, rows.trades),
            (LEDGER, rows.ledger),
            (ARCHIVE, rows.archive),
        ]
        for target, new in states:
            table = self.rows.setdefault(target.table, {})
            for row in new:
                key = tuple(getattr(row, name) for name in target.state_of or _KEYS[target.table])
                known = table.get(key)
                if known is None or (target.state_of and known.sequence < row.sequence):
                    table[key] = row

    def known_rows(self) -> Rows:
        """No rows yet, and the assets and markets that the tables know."""
        assets: Collection[AssetRow] = self.rows.get(ASSETS.table, {}).values()
        markets: Collection[MarketRow] = self.rows.get(MARKETS.table, {}).values()
        scales = {asset.symbol: asset.scale for asset in assets}
        pairs = {
            row.symbol: Pair(row.base_id, row.quote_id, scales[row.base_id], scales[row.quote_id])
            for row in markets
        }
        return Rows(scales, pairs)


class MemoryDatabase:
    def __init__(self) -> None:
        self.is_up = True
        self.tables = Tables()
        self.archive: list[EncodedEntry] = []
        self.position = 0
        self.digest = ""
        self.shelf: list[Packed] = []
        """Snapshots, oldest first."""
        self.newest_kept = 0
        """The entry of the newest snapshot that was ever stored whole."""

    def require_up(self) -> None:
        if not self.is_up:
            raise DatabaseDown("PostgreSQL is down")

    def check_same_journal(self, stream: list[EncodedEntry]) -> None:
        """`stream`: what stands there from the position's entry on."""
        if not self.position:
            return
        if not stream:
            raise JournalMismatchError(self.position, "the stream ends before it")
        if stream[0].sequence == self.position and stream[0].digest != self.digest:
            raise JournalMismatchError(self.position, "the stream holds another entry there")

    def project(self, entries: list[EncodedEntry], before_commit: Callable[[], None]) -> None:
        """One transaction. Raises JournalGapError."""
        self.require_up()
        rows, last, archived = self.tables.known_rows(), None, []
        position = self.position
        for entry in entries:
            if entry.sequence <= position:
                continue
            if entry.sequence > position + 1:
                raise JournalGapError(position, entry.sequence)
            rows.add(entry)
            archived.append(msgspec.structs.replace(entry, origins=b"[]"))
            last, position = entry, entry.sequence
        before_commit()
        self.require_up()
        if last is not None:
            self.tables.write(rows)
            self.archive += archived
            self.position, self.digest = last.sequence, last.digest

    def read_archive_after(self, sequence: int) -> list[EncodedEntry]:
        self.require_up()
        return [entry for entry in self.archive if entry.sequence > sequence]

    # The follower's shelf.

    def age_s(self) -> float:
        self.require_up()
        return 0.0

    def put(self, packed: Packed, *, keep: int, keep_days: int) -> KeptSnapshot:
        self.require_up()
        self.shelf.append(packed)
        whole = [kept for kept in self.shelf if is_whole(kept.header, kept.sha256, kept.pieces)]
        needed = {*map(id, self.shelf[-keep:]), *map(id, whole[-keep:])}
        self.shelf = [kept for kept in self.shelf if id(kept) in needed]
        self.newest_kept = max(self.newest_kept, packed.header.sequence)
        return _kept(packed)

    def snapshots(self) -> list[KeptSnapshot]:
        self.require_up()
        return [_kept(packed) for packed in reversed(self.shelf)]

    def good_snapshots(self) -> Iterator[OpenSnapshot]:
        for packed in self.shelf:
            try:
                yield OpenSnapshot(packed)
            except SnapshotInvalid:
                continue


class MemoryRecords:
    """The real `Records`' meaning: the database, and the publisher's position."""

    def __init__(self, database: MemoryDatabase, published: Callable[[], int]) -> None:
        self._database = database
        self._published = published

    def snapshots(self) -> list[KeptSnapshot]:
        return self._database.snapshots()

    def read_archive_after(self, sequence: int) -> Iterator[EncodedEntry]:
        return iter(self._database.read_archive_after(sequence))

    def witnesses(self) -> Iterator[Witness]:
        yield Witness("the publisher", self._published())
        self._database.require_up()
        yield Witness("the archive", self._database.position, self._database.digest or None)
        yield from (witness_of(kept.header) for kept in self.snapshots()[:1])


def _kept(packed: Packed) -> KeptSnapshot:
    return KeptSnapshot(packed.header, lambda: packed)
