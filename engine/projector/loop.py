"""The projector's loop: read the stream, project a batch, until the time is up.

While PostgreSQL writes one batch, a thread reads the next one and makes its rows: each of the two
has about half of the work.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import redis
from django.db import transaction

from engine.journal import JOURNAL_KEY, EncodedEntry, read_after, tail_sequence
from engine.models import ProjectorPosition
from engine.projector.positions import JOURNAL, advance_position, lock_position, read_position
from engine.projector.rows import Pair, Rows
from engine.projector.writer import known_rows, write_rows
from engine.times import to_datetime

MAX_BATCH_ENTRIES: Final = 1_000
MAX_BATCH_BYTES: Final = 4_000_000
"""Of events in one transaction: some thousands of orders, a fraction of a second of writing."""

PAGE_ENTRIES: Final = 32
"""Read at once: XREAD counts entries, not bytes, and an entry may hold hundreds of commands."""

BLOCK_MS: Final = 500

GATHER_S: Final = 0.1
BUSY_GATHER_S: Final = 0.25
"""Entries gather for so long between two transactions, each of which costs as much as some dozens
of orders. The first entry after a quiet moment does not wait."""

BUSY_BYTES: Final = 8_000
"""Of events in a batch from which on more will come: some dozens of orders."""


class JournalGapError(Exception):
    """Entries between the projection and the rest of the journal are missing."""

    def __init__(self, position: int, found: int) -> None:
        super().__init__(
            f"the tables stand at journal entry {position} and the stream goes on at {found}:"
            f" {found - position - 1} entries are missing. They were trimmed or lost before they"
            f" were archived. Nothing was written. Restore {JOURNAL_KEY} in the engine's Redis from"
            " a backup that holds them; the projector continues by itself."
        )


class JournalMismatchError(Exception):
    """The stream is not the journal that these tables were made from."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(
            f"the tables stand at journal entry {position}, but {why}. The engine's Redis and this"
            " database do not belong together, or one of them went back in time. Nothing was"
            " written. Stop the engine, then point both settings at servers of the same exchange,"
            " or restore the newer journal."
        )


class Batch(NamedTuple):
    entries: list[EncodedEntry]
    rows: Rows
    size: int
    """Bytes of events."""

    def pause_s(self) -> float:
        """How long more may gather behind it. Nothing waits behind a full batch."""
        if (
            not self.entries
            or len(self.entries) >= MAX_BATCH_ENTRIES
            or self.size >= MAX_BATCH_BYTES
        ):
            return 0
        return BUSY_GATHER_S if self.size >= BUSY_BYTES else GATHER_S


def project_journal(
    connection: "redis.Redis", *, seconds: float, should_stop: Callable[[], bool] = lambda: False
) -> int:
    """Project for `seconds`, or until told to stop; how many entries.

    Raises PositionBusyError where another process projects, JournalGapError and
    JournalMismatchError where the stream does not continue the tables, and errors of the
    connections: the next task tries anew.
    """
    deadline = time.monotonic() + seconds
    start = read_position(JOURNAL)
    check_same_journal(connection, start)
    position, known = start.sequence, known_rows()

    def read_next(
        after: int, scales: Mapping[str, int], pairs: Mapping[str, Pair], pause_s: float
    ) -> Batch:
        time.sleep(pause_s)
        left_ms = int((deadline - time.monotonic()) * 1000)
        block_ms = max(1, min(BLOCK_MS, left_ms))
        return make_batch(read_batch(connection, after, block_ms=block_ms), scales, pairs)

    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as ahead:
        following = ahead.submit(read_next, position, known.scales, known.pairs, 0)
        while time.monotonic() < deadline and not should_stop():
            batch = following.result()
            entries, rows = batch.entries, batch.rows
            newest = entries[-1].sequence if entries else position
            following = ahead.submit(read_next, newest, rows.scales, rows.pairs, batch.pause_s())
            if entries:
                position = project_entries(entries, rows)
    return position - start.sequence


def make_batch(
    entries: list[EncodedEntry], scales: Mapping[str, int], pairs: Mapping[str, Pair]
) -> Batch:
    """With the rows that follow those whose assets and markets are given."""
    rows = Rows(scales, pairs)
    for entry in entries:
        rows.add(entry)
    return Batch(entries, rows, sum(len(entry.events) for entry in entries))


def read_batch(
    connection: "redis.Redis", sequence: int, *, block_ms: int | None = None
) -> list[EncodedEntry]:
    """Entries after `sequence`, bounded in number and bytes; waits only for the first."""
    batch: list[EncodedEntry] = []
    size = 0
    page = read_after(connection, sequence, count=PAGE_ENTRIES, block_ms=block_ms)
    while page:
        batch += page
        size += sum(len(entry.events) for entry in page)
        if len(batch) >= MAX_BATCH_ENTRIES or size >= MAX_BATCH_BYTES or len(page) < PAGE_ENTRIES:
            break
        page = read_after(connection, page[-1].sequence, count=PAGE_ENTRIES)
    return batch


def project_entries(entries: list[EncodedEntry], prepared: Rows | None = None) -> int:
    """Write what the entries mean, in one transaction; the sequence the tables stand at then.

    Entries that are written already are skipped. `prepared` are the rows of all of them, for the
    case that none is. Raises JournalGapError and PositionBusyError.
    """
    with transaction.atomic():
        position = lock_position(JOURNAL)
        new = [entry for entry in entries if entry.sequence > position.sequence]
        for expected, entry in enumerate(new, start=position.sequence + 1):
            if entry.sequence != expected:
                raise JournalGapError(expected - 1, entry.sequence)
        if new:
            last = new[-1]
            if prepared is None or len(new) < len(entries):
                known = known_rows()
                prepared = make_batch(new, known.scales, known.pairs).rows
            write_rows(prepared)
            advance_position(
                position,
                sequence=last.sequence,
                time=to_datetime(last.time),
                digest=last.digest,
            )
        return position.sequence


def check_same_journal(connection: "redis.Redis", position: ProjectorPosition) -> None:
    """Raises JournalMismatchError unless the stream holds the position's entry as it was projected,
    or has trimmed it and goes on behind it."""
    if not position.sequence:
        return
    found = read_after(connection, position.sequence - 1, count=1)
    if not found:
        why = f"the stream ends at {tail_sequence(connection)}"
        raise JournalMismatchError(position.sequence, why)
    if found[0].sequence == position.sequence and found[0].digest != position.digest:
        raise JournalMismatchError(position.sequence, "the stream holds another entry there")
