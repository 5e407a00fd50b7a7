"""The follower: a replica beside the live engine, which takes its snapshots and trims its journal.

It lives in one worker process between the runs of its task. After any error the replica is worth
nothing; the next run begins at the newest snapshot.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, Self

from django.conf import settings
from django.utils import timezone

from engine.publisher.record import Trading, record_feeds
from engine.snapshots.codec import OpenSnapshot, pack_snapshot, without_collections
from engine.snapshots.store import SnapshotsBusy, list_snapshots, load_packed, store_snapshot
from engine.worker.history import History
from engine.worker.loader import check_witnesses, restore_newest
from engine.worker.ports import Records, Stream

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


class Follower:
    def __init__(self, stream: Stream, records: Records, policy: Policy) -> None:
        """Raises JournalBroken where the journal cannot be followed."""
        self._history = History(stream, records)
        self._policy = policy
        check_witnesses(stream, records)
        self.replica, snapshot = restore_newest(stream, records)
        self._trading = Trading(snapshot.feeds() if snapshot is not None else None)
        self.verified = self.replica.sequence if snapshot is not None else 0
        """The entry of the newest snapshot that is stored and was read back whole."""
        self._counted = self.replica.commands
        newest = list_snapshots()[:1]
        age = timezone.now() - newest[0].created_at if newest else timedelta(0)
        self._taken_at = time.monotonic() - age.total_seconds()

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
            feeds = record_feeds(self.replica.engine, self._trading, self.replica.sequence)
            packed = pack_snapshot(self.replica, feeds)
        self._counted, self._taken_at = self.replica.commands, started
        try:
            row = store_snapshot(packed, keep=self._policy.keep, keep_days=self._policy.keep_days)
        except SnapshotsBusy:
            _log.info("another follower stores a snapshot")
            return
        del packed
        OpenSnapshot(load_packed(row))
        self.verified = self.replica.sequence
        seconds = time.monotonic() - started
        _log.info("%s: %d bytes in %.2f s", row, row.size, seconds)
