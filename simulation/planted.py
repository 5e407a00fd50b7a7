"""Bugs, one at a time, that the judge must find: proof that the simulation can see.

Each puts a broken part in the place of the real one. Nothing of this is in the product.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from engine.core.commands import Command
from engine.core.engine import KEEP_ORDER_KEYS
from engine.core.idempotency import Idempotency
from engine.dead_letters import Verdict
from engine.journal import EncodedEntry
from engine.publisher.publisher import Publisher
from engine.publisher.store import Message
from engine.wire import Address
from engine.worker.batch import Batch
from engine.worker.clock import SteadyClock
from engine.worker.loader import load_replica
from engine.worker.recovery import Replica
from simulation.engines import Bug, SmallBatches
from simulation.following import Projector
from simulation.memory_database import MemoryRecords
from simulation.memory_redis import MemoryRedis, MemoryStore
from simulation.network import ConnectionLost, Killed, Network
from simulation.publishing import SharedRedis
from simulation.world import Parts


class QueueBeforeJournal(MemoryStore):
    """Takes the commands off the queue, and only then writes the entry."""

    def _commit(self, entry: EncodedEntry | None, consumed: int, verdict: Verdict | None) -> None:
        self._check_fence()
        self._server.consume(consumed)
        try:
            self._network.after("consumed")
        except Killed as killed:
            raise ConnectionLost from killed
        super()._commit(entry, 0, verdict)


class Unfenced(MemoryStore):
    def _check_fence(self) -> None:
        pass


class TailUnchecked(MemoryStore):
    def _check_tail(self, entry: EncodedEntry) -> None:
        pass


def trim_unarchived(*, archived: int, snapshot: int, published: int, kept: int) -> int:
    return min(snapshot, published, kept)


class EarlyReplies(SmallBatches):
    """Answers as soon as the commit is sent."""

    def _begin_answer(self, *, skip: int) -> None:
        assert self._in_flight is not None
        assert isinstance(self._store, MemoryStore)
        for name, text in self._in_flight.items():
            self._store._server.published(name, text)
        super()._begin_answer(skip=skip)


def push_again(server: MemoryRedis, envelope: bytes, network: Network) -> int:
    """A connection that repeats what was not answered, as many do by themselves."""
    length = server.push(envelope)
    try:
        network.after("push")
    except ConnectionLost:
        length = server.push(envelope)
    return length


class NoTail(SmallBatches):
    """Leads with what the snapshot holds, and not what the journal holds after it."""

    def _follow_some(self) -> int:
        return 0


def load_without_keys(stream: MemoryStore, records: MemoryRecords) -> Replica:
    replica = load_replica(stream, records)
    replica.engine.order_keys = Idempotency(keep_count=KEEP_ORDER_KEYS)
    return replica


def ask_nobody(_stream: MemoryStore, _records: MemoryRecords) -> None:
    """A standby that leads with what it finds."""


class WallClock(SteadyClock):
    """Goes wherever somebody sets it."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        super().__init__(wall, monotonic)
        self._wall = wall

    def now_ms(self) -> int:
        return int(self._wall() * 1000)

    def not_before(self, time_ms: int) -> None:
        pass


class AnyTime(SmallBatches):
    """Takes the clock at its word."""

    def _begin_batch(self) -> Batch:
        replica, now = self._replica, self._clock.now_ms()
        replica.engine.time = min(replica.engine.time, now)
        return Batch(replica.engine, replica.sequence, now)


class SwallowingBatch(Batch):
    """Goes on after an exception, with what it left behind."""

    def _apply_command(
        self, raw: bytes, command: Command, text: bytes, origin: Address | None
    ) -> None:
        try:
            super()._apply_command(raw, command, text, origin)
        except Bug:
            self.applying = None


class Careless(SmallBatches):
    def _begin_batch(self) -> Batch:
        batch = super()._begin_batch()
        return SwallowingBatch(batch._engine, batch._sequence, batch.time)


class PositionFirst(Projector):
    """Commits how far it came, and then the rows."""

    def write(self, entries: list[EncodedEntry]) -> None:
        database = self._world.database
        before = database.position, database.digest
        database.position, database.digest = entries[-1].sequence, entries[-1].digest
        self._world.task_network.before("rows")
        database.position, database.digest = before
        super().write(entries)


class SentFirst(Publisher):
    """Lets frames leave, and then stores that they did."""

    async def _write(self, messages: list[Message], unheard: Collection[str]) -> list[str]:
        shared = self._store._client
        assert isinstance(shared, SharedRedis)
        shared.publish(message.data for message in messages)
        return await super()._write(messages, unheard)


BUGS: Final[Mapping[str, Parts]] = {
    "commit-order-swapped": Parts(store=QueueBeforeJournal),
    "fence-missing": Parts(store=Unfenced),
    "tail-check-left-out": Parts(store=TailUnchecked),
    "trim-before-archive": Parts(last_needless=trim_unarchived),
    "reply-before-commit": Parts(worker=EarlyReplies),
    "connection-that-retries": Parts(push=push_again),
    "snapshot-without-tail": Parts(worker=NoTail),
    "takeover-unasked": Parts(check=ask_nobody),
    "keys-forgotten": Parts(load=load_without_keys),
    "clock-backwards": Parts(clock=WallClock, worker=AnyTime),
    "half-applied-command": Parts(worker=Careless),
    "position-before-rows": Parts(projector=PositionFirst),
    "frames-before-store": Parts(publisher=SentFirst),
}
