"""What PostgreSQL keeps for a publisher that lost its own state: the real `Past`."""

import logging

from asgiref.sync import sync_to_async

from engine.archive import read_archive_after
from engine.journal import EncodedEntry
from engine.publisher.feeds import Feeds
from engine.publisher.record import restore_feeds
from engine.snapshots.codec import OpenSnapshot, SnapshotInvalid
from engine.snapshots.records import PAGE_ENTRIES
from engine.snapshots.store import list_snapshots, load_packed

_log = logging.getLogger(__name__)


class DatabasePast:
    """On one connection, which is asked only after a start."""

    @sync_to_async
    def newest_feeds(self) -> Feeds | None:
        for row in list_snapshots():
            try:
                return restore_feeds(OpenSnapshot(load_packed(row)).feeds())
            except SnapshotInvalid as invalid:
                _log.error("%s cannot be used: %s. Taking an older one.", row, invalid)
        return None

    @sync_to_async
    def read_archive_after(self, sequence: int) -> list[EncodedEntry]:
        return read_archive_after(sequence=sequence, count=PAGE_ENTRIES)
