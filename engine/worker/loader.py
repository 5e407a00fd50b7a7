"""How an engine starts: the newest snapshot that is good, and the archive up to the stream.

Nothing is guessed. A damaged snapshot is reported and an older one taken; a journal that lost its
end, that belongs to another exchange, or that has a gap halts the start with what to do.
"""

import logging
import time

from engine.core.engine import CORE_VERSION
from engine.snapshots.codec import Header, OpenSnapshot, SnapshotInvalid
from engine.worker.history import History
from engine.worker.ports import Records, Stream, Witness
from engine.worker.recovery import JournalBroken, Replica

_log = logging.getLogger(__name__)


class JournalBehind(JournalBroken):
    """Somebody has seen entries that the journal does not hold."""


def load_replica(stream: Stream, records: Records) -> Replica:
    """A replica that the stream continues. Raises JournalBroken."""
    check_witnesses(stream, records)
    replica = restore_newest(stream, records)[0]
    started, position = time.monotonic(), replica.sequence
    replica.follow(History(stream, records).read_trimmed_after(position))
    if replica.sequence > position:
        seconds = time.monotonic() - started
        _log.info(
            "replayed entries %d to %d of the archive in %.2f s",
            position + 1, replica.sequence, seconds,
        )  # fmt: skip
    return replica


def restore_newest(stream: Stream, records: Records) -> tuple[Replica, OpenSnapshot | None]:
    """The newest good snapshot, restored; a new replica where there is none. Raises JournalBroken
    where there are only snapshots of other versions."""
    refused: list[str] = []
    for kept in records.snapshots():
        started = time.monotonic()
        try:
            check_version(stream, records, kept.header)
            snapshot = OpenSnapshot(kept.load())
            check_witness(stream, witness_of(snapshot.header))
            replica = snapshot.replica()
        except SnapshotInvalid as invalid:
            refused.append(f"snapshot {kept.header.sequence} cannot be used: {invalid}")
            _log.error("%s. Taking an older one.", refused[-1])
            continue
        seconds = time.monotonic() - started
        _log.info("restored the snapshot of entry %d in %.2f s", replica.sequence, seconds)
        return replica, snapshot
    if refused:
        _log.error("no snapshot can be used: replaying the journal from its first entry")
    return Replica(), None


def check_witnesses(stream: Stream, records: Records) -> None:
    """Raises JournalBroken where the stream does not hold what somebody has seen of it."""
    for witness in records.witnesses():
        check_witness(stream, witness)


def check_witness(stream: Stream, witness: Witness) -> None:
    """Raises JournalBroken. The witness was asked first: the journal may have grown since, and must
    not have shrunk."""
    tail = stream.tail()
    if witness.sequence > tail:
        raise JournalBehind(
            f"the journal ends at entry {tail}, but {witness.name} has seen entry "
            f"{witness.sequence}. The engine's Redis lost its newest entries, or it is that of "
            "another exchange. Nothing was written. Put back its append-only file as it was; "
            "docs/FAILURES.md says what remains if that is lost."
        )
    if witness.digest is None or not witness.sequence:
        return
    entry = next(stream.read_after(witness.sequence - 1), None)
    if entry is None or entry.sequence != witness.sequence or entry.digest == witness.digest:
        return
    raise JournalBroken(
        f"the journal's entry {witness.sequence} is not the one that {witness.name} has seen: "
        "the servers are those of two exchanges, or the journal was altered. Nothing was written. "
        "Point all settings at servers of the same exchange."
    )


def witness_of(header: Header) -> Witness:
    return Witness(f"the snapshot of entry {header.sequence}", header.sequence, header.digest)


def check_version(stream: Stream, records: Records, header: Header) -> None:
    """An older core's state can be gone on from only where nothing of that core follows. Raises
    SnapshotInvalid."""
    if header.core == CORE_VERSION:
        return
    following = next(History(stream, records).read_after(header.sequence), None)
    if header.core > CORE_VERSION or (following is not None and following.core != CORE_VERSION):
        raise SnapshotInvalid(
            f"core version {header.core} wrote it, and this is version {CORE_VERSION}"
        )
