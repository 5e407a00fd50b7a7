"""The follower: a replica beside the live engine, which takes its snapshots and trims its journal.

It lives in one worker process between the runs of its task. After any error the replica is worth
nothing; the next run begins at the newest snapshot.
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, Self

from django.conf import settings

from engine.publisher.record import Trading, record_feeds
from engine.snapshots.codec import OpenSnapshot, Packed, pack_snapshot, without_collections
from engine.snapshots.store import DatabaseShelf, SnapshotsBusy
from engine.worker.history import History
from engine.worker.loader import check_witnesses, restore_newest
from engine.worker.ports import KeptSnapshot, Records, Stream

_log = logging.getLogger(__name__)


class Policy(NamedTuple):
    """When a snapshot is due, and how many are kept."""

    every_s: float
    every_commands: int
    keep: int
    keep_days: int

    @classmethod
    def from_settings(cls) -> Self:
        return cls(
            every_s=settings.SNAPSHOT_EVERY_S,
            every_commands=settings.SNAPSHOT_EVERY_COMMANDS,
            keep=settings.SNAPSHOTS_KEEP,
            keep_days=settings.SNAPSHOTS_KEEP_DAYS,
        )


class Shelf(Protocol):
    """Where snapshots are put. Real: `DatabaseShelf`."""

    def age_s(self) -> float:
        """Of the newest snapshot; 0 where there is none."""

    def put(self, packed: Packed, *, keep: int, keep_days: int) -> KeptSnapshot:
        """Store it, and remove what is superseded: both or neither. Raises SnapshotsBusy."""


class Follower:
    def __init__(
        self, stream: Stream, records: Records, policy: Policy, shelf: Shelf | None = None
    ) -> None:
        """Raises JournalBroken where the journal cannot be followed."""
        self._shelf = shelf or DatabaseShelf()
        self._history = History(stream, records)
        self._policy = policy
        check_witnesses(stream, records)
        self.replica, snapshot = restore_newest(stream, records)
        self._trading = Trading(snapshot.feeds() if snapshot is not None else None)
        self.verified = self.replica.sequence if snapshot is not None else 0
        """The entry of the newest snapshot that is stored and was read back whole."""
        self._counted = self.replica.commands
        self._taken_at = time.monotonic() - self._shelf.age_s()

    def follow(self, *, seconds: float, should_stop: Callable[[], bool] = lambda: False) -> int:
        """Replay what is new, for about `seconds`; how many entries. Snapshots are taken by the
        number of commands on the way, and by the time at the end. Raises JournalBroken, and errors
        of the connections."""
        deadline = time.monotonic() + seconds
        start = self.replica.sequence
        for entry in self._history.read_after(start):
            self._trading.apply(self.replica.apply(entry), entry.time)
            if self.replica.commands - self._counted >= self._policy.every_commands:
                self.take_snapshot()
            if should_stop() or time.monotonic() >= deadline:
                break
        waited_s = time.monotonic() - self._taken_at
        if self.replica.sequence > self.verified and waited_s >= self._policy.every_s:
            self.take_snapshot()
        return self.replica.sequence - start

    def take_snapshot(self) -> None:
        """Store one of this entry, and read it back. Raises SnapshotInvalid where that fails."""
        started = time.monotonic()
        with without_collections():
            replica = self.replica
            feeds = record_feeds(replica.engine, self._trading, replica.sequence, replica.digest)
            packed = pack_snapshot(replica, feeds)
        self._counted, self._taken_at = self.replica.commands, started
        try:
            kept = self._shelf.put(packed, keep=self._policy.keep, keep_days=self._policy.keep_days)
        except SnapshotsBusy:
            _log.info("another follower stores a snapshot")
            return
        size = packed.size
        del packed
        OpenSnapshot(kept.load())
        self.verified = self.replica.sequence
        seconds = time.monotonic() - started
        _log.info("snapshot of entry %d: %d bytes in %.2f s", self.verified, size, seconds)
