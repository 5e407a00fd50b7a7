"""The journal in PostgreSQL: where entries are read that the stream no longer holds."""

import zlib

from isal import isal_zlib

from engine.journal import EncodedEntry
from engine.models import JournalEntry
from engine.times import to_milliseconds
from engine.worker.recovery import JournalBroken


def compress(data: bytes) -> bytes:
    """Level 1 makes journal entries four to five times smaller. Any zlib reads it, but that which
    Python has needs three times as long to write it. PostgreSQL's own pglz was slower and worse,
    and lz4 is a matter of how the server was built."""
    return isal_zlib.compress(data, 1)


def decompress(data: bytes) -> bytes:
    return zlib.decompress(data)


def read_archive_after(*, sequence: int, count: int) -> list[EncodedEntry]:
    """Up to `count` archived entries after `sequence`, as they stood in the stream.

    They are in order, without a check for gaps: whoever replays them checks the numbers. Raises
    JournalBroken where one cannot be read.
    """
    rows = JournalEntry.objects.filter(sequence__gt=sequence).order_by("sequence")[:count]
    return [_read(row) for row in rows]


def _read(row: JournalEntry) -> EncodedEntry:
    try:
        return EncodedEntry(
            sequence=row.sequence,
            epoch=row.epoch,
            core=row.core,
            time=to_milliseconds(row.time),
            commands=decompress(bytes(row.commands)),
            events=decompress(bytes(row.events)),
            digest=row.digest,
        )
    except zlib.error as error:
        raise JournalBroken(
            f"the archive's entry {row.sequence} was altered and cannot be read ({error}): "
            "restore that row from a backup of PostgreSQL"
        ) from error


def archived_sequence() -> int:
    """The newest archived entry's sequence; 0 for an empty archive."""
    newest = JournalEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return newest or 0
