"""What the worker needs from the world. Real: `redis_store.py`, and `engine/snapshots/records.py`
for the start. Simulated: the tests' own."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from engine.dead_letters import Failure, Verdict
from engine.journal import EncodedEntry

if TYPE_CHECKING:
    from engine.snapshots.codec import Header, Packed


class Fenced(Exception):
    """Another engine leads, or the lease is in doubt: nothing was written, and nothing may be."""


class JournalTailMoved(Exception):
    """The journal does not end where this engine left it: nothing was written."""


class Lease(Protocol):
    """The right to write, held by one engine at a time; each leadership has its own epoch."""

    def acquire(self) -> int | None:
        """Take the lease and raise the epoch, in one step; None while another engine holds it."""

    def renew(self) -> None:
        """Hold it for longer. Raises Fenced."""

    def release(self) -> None:
        """Let the next engine start at once; as a standby, sign off."""

    def announce(self, sequence: int) -> None:
        """Say that this engine stands by, and has followed the journal up to `sequence`."""


class Queue(Protocol):
    def peek(self, limit: int, skip: int = 0) -> list[bytes]:
        """The oldest messages but the first `skip`. They stay in the queue until their commit."""

    def wait(self, limit: int, timeout_ms: int) -> list[bytes]:
        """Peek as soon as something waits; empty after the timeout."""


class Stream(Protocol):
    """The journal as far as it was not trimmed."""

    def read_after(self, sequence: int) -> Iterator[EncodedEntry]:
        """All entries after `sequence` that stand there, in order."""

    def tail(self) -> int:
        """The newest entry's sequence; 0 for an empty journal."""


class Intake(Protocol):
    def regulate(self) -> None:
        """Look how much room there is, and hold the clients back or let them go on.

        Not while a commit is in flight. Raises Fenced.
        """


class Journal(Stream, Protocol):
    def begin_commit(
        self, entry: EncodedEntry | None, consumed: int, verdict: Verdict | None = None
    ) -> None:
        """Append the entry, take `consumed` messages off the queue and carry out the verdict on
        suspects: all or nothing.

        Without an entry (a batch of queries) only the queue moves. Renews the lease. Nothing is
        certain, and nothing else may be asked of the store, before `finish_commit`.
        """

    def finish_commit(self) -> None:
        """Wait until the commit is on disk.

        Raises Fenced or JournalTailMoved; after any other error the outcome is unknown.
        """


class Quarantine(Protocol):
    """Not while a commit is in flight."""

    def suspects(self) -> dict[str, Failure]:
        """The messages, by name, on which engines have failed."""

    def suspect(self, name: str, failure: Failure) -> None:
        """Note one for the engines to come. Raises Fenced."""


class Outbox(Protocol):
    """Not while a commit is in flight."""

    def begin_publish(self, replies: Mapping[str, bytes], limit: int, skip: int = 0) -> None:
        """Send the encoded replies by client, and ask for what `peek` tells in the same round trip.

        Nothing else may be asked of the store before `finish_publish`.
        """

    def finish_publish(self) -> list[bytes]:
        """What waited when the replies had left."""


class Store(Lease, Queue, Intake, Journal, Quarantine, Outbox, Protocol):
    """All together: a commit has to touch queue, journal and lease in one step."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC; never runs backwards."""

    def not_before(self, time_ms: int) -> None:
        """Go on from that time at the earliest."""


class KeptSnapshot(NamedTuple):
    """A snapshot in its store: `header` is what its columns say, `load` reads the rest."""

    header: "Header"
    load: "Callable[[], Packed]"


class Witness(NamedTuple):
    """Somebody who has seen the journal's entry `sequence`; `digest` where it is known."""

    name: str
    sequence: int
    digest: str | None = None


class Records(Protocol):
    """What is kept outside of the journal: needed to start an engine, not to run one."""

    def snapshots(self) -> list[KeptSnapshot]:
        """Newest first."""

    def read_archive_after(self, sequence: int) -> Iterator[EncodedEntry]:
        """All archived entries after `sequence`, in order; a gap is for the reader to see."""

    def witnesses(self) -> Iterator[Witness]:
        """Who has seen entries that the journal must therefore hold, those who answer at once
        first."""
