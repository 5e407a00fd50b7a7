"""What PostgreSQL, and the publisher's Redis, know of the journal: the real `Records`."""

import logging
from collections.abc import Iterator
from itertools import islice
from typing import Final

import redis

from engine.archive import read_archive_after
from engine.journal import EncodedEntry
from engine.projector.positions import JOURNAL, read_position
from engine.publisher.reader import read_status
from engine.snapshots.store import kept_snapshot, list_snapshots, read_headers
from engine.worker.loader import witness_of
from engine.worker.ports import KeptSnapshot, Witness

PAGE_ENTRIES: Final = 50

_log = logging.getLogger(__name__)


class DatabaseRecords:
    def __init__(self, shared: "redis.Redis") -> None:
        """`shared`: the Redis in which the publisher keeps its position."""
        self._shared = shared

    def snapshots(self) -> list[KeptSnapshot]:
        return [kept_snapshot(row) for row in list_snapshots()]

    def read_archive_after(self, sequence: int) -> Iterator[EncodedEntry]:
        while entries := read_archive_after(sequence=sequence, count=PAGE_ENTRIES):
            yield from entries
            sequence = entries[-1].sequence

    def witnesses(self) -> Iterator[Witness]:
        try:
            published = read_status(self._shared)
            yield Witness("the publisher", published.sequence, published.digest or None)
        except redis.RedisError:
            _log.warning("the publisher's Redis does not answer: its position is not checked")
        archive = read_position(JOURNAL)
        yield Witness("the archive", archive.sequence, archive.digest or None)
        yield from map(witness_of, islice(read_headers(), 1))
