"""The engine's Redis in memory, and the worker's `Store` on it: the scripts' meaning, without Lua.

The tests in `tests/test_store_contract.py` run on this store and on the real one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from engine.dead_letters import DeadLetter, Failure, Verdict
from engine.intake import QUEUE_FULL
from engine.journal import EncodedEntry
from engine.worker.ports import Fenced, JournalTailMoved
from simulation.hours import Hours
from simulation.network import ConnectionLost, Fate, Killed, Network, QuietNetwork

LEASE_MS = 1_000

_T = TypeVar("_T")


class MemoryRedis:
    """What the server holds. It has `appendfsync always`: what was answered is on disk, and what
    was not answered may be. Pushes alone are not written: a crash takes the connections, and of the
    queue all but what the file was given when it was written anew."""

    def __init__(self, hours: Hours, max_queue: int = 100_000) -> None:
        self.hours = hours
        self.max_queue = max_queue
        self.is_up = True
        self.starts = 0
        self.queue: list[bytes] = []
        self.on_disk = 0
        """Messages at the queue's head that stand in the file."""
        self.journal: list[EncodedEntry] = []
        self.epoch = 0
        self.suspects: dict[str, Failure] = {}
        self.dead_letters: list[DeadLetter] = []
        self.standbys: dict[str, int] = {}
        self.late: list[Callable[[], None]] = []
        """Commits on their way, whose senders are gone."""
        self.appended: Callable[[EncodedEntry], None] = lambda _entry: None
        self.published: Callable[[str, bytes], None] = lambda _name, _text: None
        self._lease: tuple[str, int] | None = None

    def crash(self) -> list[bytes]:
        """What the queue loses."""
        self.is_up = False
        self.starts += 1
        self.late.clear()
        lost = self.queue[self.on_disk :]
        del self.queue[self.on_disk :]
        return lost

    def start(self) -> None:
        self.is_up = True

    def require_up(self) -> None:
        if not self.is_up:
            raise ConnectionLost("the engine's Redis is down")

    @property
    def holder(self) -> str | None:
        """Who has the lease."""
        if self._lease is None or self._lease[1] <= self.hours.elapsed_ms:
            return None
        return self._lease[0]

    def lend(self, owner: str, lease_ms: int) -> None:
        self._lease = (owner, self.hours.elapsed_ms + lease_ms)

    def take_back(self, owner: str) -> None:
        if self.holder == owner:
            self._lease = None

    def push(self, *messages: bytes) -> int:
        """The queue's length, or QUEUE_FULL."""
        self.require_up()
        if len(self.queue) + len(messages) > self.max_queue:
            return QUEUE_FULL
        self.queue += messages
        return len(self.queue)

    def consume(self, count: int) -> None:
        del self.queue[:count]
        self.on_disk = max(0, self.on_disk - count)

    def append(self, entry: EncodedEntry) -> None:
        self.journal.append(entry)
        self.appended(entry)

    def tail(self) -> int:
        self.require_up()
        return self.journal[-1].sequence if self.journal else 0

    def read_after(self, sequence: int) -> Iterator[EncodedEntry]:
        self.require_up()
        # As they stand now: the stream may be trimmed before the last one is read.
        first = self.journal[0].sequence if self.journal else 0
        return iter(self.journal[max(0, sequence + 1 - first) :])

    def trim(self, before: int) -> None:
        """Drop the entries before that one, and write the file anew."""
        self.require_up()
        self.journal = [entry for entry in self.journal if entry.sequence >= before]
        self.on_disk = len(self.queue)

    def receive_late(self) -> None:
        """What was on its way for long arrives."""
        for commit in self.late:
            try:
                commit()
            except (Fenced, JournalTailMoved, ConnectionLost):
                continue
        self.late.clear()


class MemoryStore:
    """The worker's `Store`, on one connection that breaks for good when the server goes down."""

    def __init__(
        self,
        server: MemoryRedis,
        owner: str,
        network: Network | None = None,
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._server = server
        self._owner = owner
        self._network = network or QuietNetwork()
        self._lease_ms = lease_ms
        self._epoch = 0
        self._connected_to = server.starts
        self._sent: Callable[[], None] | None = None
        """A commit on its way."""
        self._refusal: Exception | None = None
        """What the server said to the commit in flight."""
        self._is_committing = False
        self._peeked: list[bytes] = []

    def acquire(self) -> int | None:
        def take() -> int | None:
            if self._server.holder is not None:
                return None
            self._server.epoch += 1
            self._server.lend(self._owner, self._lease_ms)
            self._server.standbys.pop(self._owner, None)
            return self._server.epoch

        epoch = self._ask("acquire", take)
        if epoch is not None:
            self._epoch = epoch
        return epoch

    def renew(self) -> None:
        def hold() -> None:
            self._check_fence()
            self._server.lend(self._owner, self._lease_ms)

        self._ask("renew", hold)

    def release(self) -> None:
        def give() -> None:
            self._server.standbys.pop(self._owner, None)
            self._server.take_back(self._owner)

        self._ask("release", give)

    def announce(self, sequence: int) -> None:
        self._ask("announce", lambda: self._server.standbys.update({self._owner: sequence}))

    def peek(self, limit: int, skip: int = 0) -> list[bytes]:
        return self._ask("peek", lambda: self._server.queue[skip : skip + limit])

    def wait(self, limit: int, timeout_ms: int) -> list[bytes]:
        return self._ask("wait", lambda: self._server.queue[:limit])

    def regulate(self) -> None:
        self._ask("regulate", self._check_fence)

    def read_after(self, sequence: int) -> Iterator[EncodedEntry]:
        return self._ask("read_after", lambda: self._server.read_after(sequence))

    def tail(self) -> int:
        return self._ask("tail", self._server.tail)

    def suspects(self) -> dict[str, Failure]:
        return self._ask("suspects", lambda: dict(self._server.suspects))

    def suspect(self, name: str, failure: Failure) -> None:
        def note() -> None:
            self._check_fence()
            self._server.suspects[name] = failure

        self._ask("suspect", note)

    def begin_publish(self, replies: Mapping[str, bytes], limit: int, skip: int = 0) -> None:
        def send() -> list[bytes]:
            for name, text in replies.items():
                self._server.published(name, text)
            return self._server.queue[skip : skip + limit]

        self._peeked = self._ask("publish", send)

    def finish_publish(self) -> list[bytes]:
        return self._peeked

    def begin_commit(
        self, entry: EncodedEntry | None, consumed: int, verdict: Verdict | None = None
    ) -> None:
        assert not self._is_committing, "one commit at a time"
        self._is_committing, self._refusal = True, None
        self._network.before("begin_commit")
        self._require_connection()
        self._sent = lambda: self._commit(entry, consumed, verdict)
        if self._network.is_quick():
            self._deliver()

    def finish_commit(self) -> None:
        assert self._is_committing, "no commit was begun"
        try:
            self._network.before("finish_commit")
            self._require_connection()
        except (Killed, ConnectionLost):
            self._leave_to_fate()
            raise
        self._deliver()
        self._network.after("finish_commit")
        self._is_committing = False
        if self._refusal is not None:
            raise self._refusal

    def abandon(self) -> None:
        """The process died: what it had sent is on its way all the same."""
        self._leave_to_fate()

    def _leave_to_fate(self) -> None:
        sent = self._sent
        if sent is None:
            return
        fate = self._network.fate()
        is_connected = self._server.is_up and self._connected_to == self._server.starts
        if fate is Fate.DONE and is_connected:
            self._deliver()
        elif fate is Fate.LATE and is_connected:
            self._server.late.append(sent)
        self._sent = None

    def _deliver(self) -> None:
        sent, self._sent = self._sent, None
        if sent is None:
            return
        try:
            sent()
        except (Fenced, JournalTailMoved) as refusal:
            self._refusal = refusal

    def _commit(self, entry: EncodedEntry | None, consumed: int, verdict: Verdict | None) -> None:
        """The script: everything or nothing."""
        self._check_fence()
        if entry is not None:
            self._check_tail(entry)
            if verdict is not None and verdict.dead_letter is not None:
                self._server.dead_letters.append(verdict.dead_letter)
            self._server.append(entry)
        self._server.lend(self._owner, self._lease_ms)
        for name in verdict.settled if verdict is not None else ():
            self._server.suspects.pop(name, None)
        self._server.consume(consumed)

    def _check_fence(self) -> None:
        holder = self._server.holder
        if self._server.epoch != self._epoch or holder not in (None, self._owner):
            raise Fenced("FENCED another engine leads")

    def _check_tail(self, entry: EncodedEntry) -> None:
        if self._server.tail() != entry.sequence - 1:
            raise JournalTailMoved(f"TAIL the journal ends at {self._server.tail()}")

    def _ask(self, call: str, effect: Callable[[], _T]) -> _T:
        assert not self._is_committing, "nothing else may be asked while a commit is in flight"
        self._network.before(call)
        self._require_connection()
        answer = effect()
        self._network.after(call)
        return answer

    def _require_connection(self) -> None:
        self._server.require_up()
        if self._connected_to != self._server.starts:
            raise ConnectionLost("the engine's Redis was started anew")
