"""A journal that lost its end, or all of it, is made anew from the archive; later entries are gone.

Only an operator decides that (`manage.py restore_journal`): the engine never does.
"""

from itertools import islice
from typing import Any, NamedTuple

import redis

from engine.archive import archived_sequence
from engine.journal import JOURNAL_KEY, read_after, tail_sequence
from engine.models import Snapshot
from engine.publisher.reader import read_status
from engine.publisher.reset import forget_feeds
from engine.snapshots.records import DatabaseRecords
from engine.wire import EPOCH_KEY
from engine.worker.recovery import JournalBroken


class Restored(NamedTuple):
    """The journal's end now and its epoch, how many entries of the archive it took, and how many
    snapshots of later entries were removed."""

    sequence: int
    epoch: int
    entries: int
    snapshots_removed: int


def restore_journal(
    journal: "redis.Redis", shared: "redis.Redis", records: DatabaseRecords, *, keep: int
) -> Restored:
    """Append what the archive has behind the stream's end, or its newest `keep` entries to an empty
    stream. Whoever has seen later entries than there are then forgets them: snapshots are removed,
    the publisher begins anew. The caller holds the lease. Raises JournalBroken, and then nothing
    was changed.
    """
    tail, archived = tail_sequence(journal), archived_sequence()
    end = max(tail, archived)
    later = Snapshot.objects.filter(sequence__gt=end)
    if tail >= archived and read_status(shared).sequence <= tail and not later.exists():
        raise JournalBroken(
            f"the journal ends at entry {tail} and the archive at {archived}, and nobody has seen "
            "more: there is nothing to restore"
        )
    _check_same(journal, records, min(tail, archived))
    newest = read_after(journal, tail - 1, count=1) if tail else []
    count, epoch = 0, newest[0].epoch if newest else 0
    if tail < archived:
        for entry in records.read_archive_after(tail or max(0, archived - keep)):
            fields: dict[Any, Any] = entry.fields()
            journal.xadd(JOURNAL_KEY, fields, id=f"{entry.sequence}-0")
            count, epoch = count + 1, entry.epoch
    forget_feeds(shared)
    removed = later.count()
    later.delete()
    return Restored(end, epoch, count, removed)


def _check_same(journal: "redis.Redis", records: DatabaseRecords, sequence: int) -> None:
    """Both must hold the same entry there; an empty one, and one that was trimmed, says nothing."""
    if not sequence:
        return
    [entry] = read_after(journal, sequence - 1, count=1)
    for twin in islice(records.read_archive_after(sequence - 1), 1):
        if entry.sequence > sequence or (twin.sequence, twin.digest) == (sequence, entry.digest):
            return
    raise JournalBroken(f"the journal's entry {sequence} is not the archive's")


def raise_epoch(journal: "redis.Redis", epoch: int) -> None:
    """Epochs go on growing, on a Redis that has counted none as well. It ends every leadership."""
    counted: Any = journal.get(EPOCH_KEY)
    journal.set(EPOCH_KEY, max(int(counted or 0), epoch))
