"""Is the journal, from end to end, what it says it is? The first difference is raised.

Digests are rolled over every entry that is kept, in the archive and in the stream, which must agree
where both hold one. Then the commands are applied again from the oldest usable snapshot, whose way
must lead through the states of all later ones, and from the newest.
"""

from collections.abc import Iterator
from itertools import chain, islice, takewhile
from typing import NamedTuple

from engine.core.digest import GENESIS, roll
from engine.core.snapshot import state_hash
from engine.journal import EncodedEntry
from engine.snapshots.codec import OpenSnapshot, SnapshotInvalid
from engine.worker.history import History
from engine.worker.loader import check_version, check_witnesses
from engine.worker.ports import KeptSnapshot, Records, Stream
from engine.worker.recovery import JournalBroken, Replica


class Difference(JournalBroken):
    """Two accounts of the same thing differ."""


class Verified(NamedTuple):
    """`entries` were checked by digest, those after `replayed_from` by execution too."""

    entries: int
    replayed_from: int
    snapshots: int
    digest: str
    state_hash: str


def verify_journal(stream: Stream, records: Records, *, from_start: bool = False) -> Verified:
    """Up to where the journal ends now. Raises JournalBroken with the first difference."""
    check_witnesses(stream, records)
    tail = stream.tail()
    kept = sorted(records.snapshots(), key=lambda snapshot: snapshot.header.sequence)
    digests = _check_digests(stream, records, tail, {k.header.sequence for k in kept})
    for snapshot in kept:
        _check_snapshot(snapshot, digests)
    usable = [snapshot for snapshot in kept if _is_usable(stream, records, snapshot)]
    start = Replica() if from_start or not usable else _open(usable[0])
    replayed_from = start.sequence
    history = History(stream, records)
    _replay(history, start, tail, {s.header.sequence: s for s in usable})
    found = state_hash(start.engine)
    if usable:
        newest = _open(usable[-1])
        _replay(history, newest, tail, {})
        if state_hash(newest.engine) != found:
            raise Difference(
                f"at entry {tail} the state from the snapshot of entry {usable[-1].header.sequence}"
                f" is not the one from entry {replayed_from}"
            )
    return Verified(tail, replayed_from, len(kept), digests.get(tail, GENESIS), found)


def _check_digests(stream: Stream, records: Records, tail: int, wanted: set[int]) -> dict[int, str]:
    """The digests at the `wanted` entries and at the tail."""
    first = next(stream.read_after(0), None)
    begins = first.sequence if first is not None else tail + 1
    archived = _until(records.read_archive_after(0), tail)
    digests: dict[int, str] = {}
    sequence, digest = 0, GENESIS
    behind = History(stream, records).read_trimmed_after(0)
    for entry in chain(behind, _until(stream.read_after(begins - 1), tail)):
        if entry.sequence != sequence + 1:
            raise Difference(f"entry {entry.sequence} follows entry {sequence}")
        sequence, digest = entry.sequence, roll(digest, entry.commands, entry.events)
        if digest != entry.digest:
            raise Difference(f"entry {sequence} does not have the digest of what it holds")
        twin = next(archived, None)
        if twin is not None and not _agree(entry, twin):
            raise Difference(f"the archive's entry {sequence} is not the stream's")
        if sequence in wanted or sequence == tail:
            digests[sequence] = digest
    if sequence != tail:
        raise Difference(f"the journal ends at entry {sequence}, its tail says {tail}")
    return digests


def _until(entries: Iterator[EncodedEntry], tail: int) -> Iterator[EncodedEntry]:
    return takewhile(lambda entry: entry.sequence <= tail, entries)


def _agree(entry: EncodedEntry, archived: EncodedEntry) -> bool:
    """The archive does not keep the origins."""
    return all(
        getattr(entry, name) == getattr(archived, name)
        for name in ("sequence", "epoch", "core", "time", "commands", "events", "digest")
    )


def _check_snapshot(kept: KeptSnapshot, digests: dict[int, str]) -> None:
    sequence = kept.header.sequence
    try:
        OpenSnapshot(kept.load())
    except SnapshotInvalid as invalid:
        raise Difference(f"the snapshot of entry {sequence}: {invalid}") from invalid
    if digests.get(sequence) != kept.header.digest:
        raise Difference(f"the snapshot of entry {sequence} has another digest than the entry")


def _is_usable(stream: Stream, records: Records, kept: KeptSnapshot) -> bool:
    try:
        check_version(stream, records, kept.header)
    except SnapshotInvalid:
        return False
    return True


def _open(kept: KeptSnapshot) -> Replica:
    try:
        return OpenSnapshot(kept.load()).replica()
    except SnapshotInvalid as invalid:
        raise Difference(f"the snapshot of entry {kept.header.sequence}: {invalid}") from invalid


def _replay(
    history: History, replica: Replica, tail: int, checkpoints: dict[int, KeptSnapshot]
) -> None:
    """To the tail; at each snapshot on the way the states must be the same."""
    entries = islice(history.read_after(replica.sequence), tail - replica.sequence)
    for entry in entries:
        replica.apply(entry)
        kept = checkpoints.get(entry.sequence)
        if kept is not None and state_hash(replica.engine) != kept.header.state_hash:
            raise Difference(f"the snapshot of entry {entry.sequence} has another state")
