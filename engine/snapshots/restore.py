"""A journal that lost its end, or all of it, is made anew from the archive; later entries are gone.

Only an operator decides that (`manage.py restore_journal`): the engine never does.
"""

from itertools import islice
from typing import Any, NamedTuple

import redis

from engine.archive import archived_sequence
from engine.journal import JOURNAL_KEY, read_after, tail_sequence
from engine.models import Snapshot
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
    stream. Whoever has seen later entries forgets them: snapshots are removed, the publisher begins
    anew. The caller holds the lease. Raises JournalBroken, and then nothing was changed.
    """
    tail, archived = tail_sequence(journal), archived_sequence()
    if tail >= archived:
        raise JournalBroken(
            f"the journal ends at entry {tail} and the archive at {archived}: there is nothing to "
            "restore"
        )
    _check_same(journal, records, tail)
    count = epoch = 0
    for entry in records.read_archive_after(tail or max(0, archived - keep)):
        fields: dict[Any, Any] = entry.fields()
        journal.xadd(JOURNAL_KEY, fields, id=f"{entry.sequence}-0")
        count, epoch = count + 1, entry.epoch
    forget_feeds(shared)
    later = Snapshot.objects.filter(sequence__gt=archived)
    removed = later.count()
    later.delete()
    return Restored(archived, epoch, count, removed)


def _check_same(journal: "redis.Redis", records: DatabaseRecords, tail: int) -> None:
    if not tail:
        return
    [entry] = read_after(journal, tail - 1, count=1)
    for twin in islice(records.read_archive_after(tail - 1), 1):
        if twin.sequence == tail and twin.digest == entry.digest:
            return
    raise JournalBroken(f"the journal's last entry {tail} is not the archive's")


def raise_epoch(journal: "redis.Redis", epoch: int) -> None:
    """Epochs go on growing, on a Redis that has counted none as well. It ends every leadership."""
    counted: Any = journal.get(EPOCH_KEY)
    journal.set(EPOCH_KEY, max(int(counted or 0), epoch))
