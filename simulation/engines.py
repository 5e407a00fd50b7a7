"""Engine processes: the real worker, driven step by step, that dies and starts again."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.core.commands import Command, PlaceOrder
from engine.core.engine import Engine
from engine.core.events import Event
from engine.core.replies import Reply
from engine.worker.ports import Fenced, JournalTailMoved
from engine.worker.recovery import JournalBroken, Replica
from engine.worker.suspects import CommandFailed
from engine.worker.worker import Worker
from simulation.memory_database import DatabaseDown, MemoryRecords
from simulation.memory_redis import MemoryStore
from simulation.network import ConnectionLost, Killed

if TYPE_CHECKING:
    from simulation.world import World

Load = Callable[[MemoryStore, MemoryRecords], Replica]
Check = Callable[[MemoryStore, MemoryRecords], None]

POISON = "poison"
"""Begins the client order id of an order on which the engine fails."""


class Bug(Exception):
    """The engine's, on a poisonous order."""


class FragileEngine(Engine):
    """Fails on poison, after it has changed its state."""

    def apply(self, command: Command) -> tuple[Reply, list[Event]]:
        outcome = super().apply(command)
        if isinstance(command, PlaceOrder):
            name = command.terms.client_order_id
            if name is not None and name.startswith(POISON):
                raise Bug(name)
        return outcome


class SmallBatches(Worker):
    """The real worker with fewer messages a batch, so that batches overlap in a small world."""

    batch = 3

    @property
    def _limit(self) -> int:
        return min(super()._limit, self.batch)


class EngineProcess:
    """One slot for an engine: whenever it is empty, the supervisor soon starts another."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.worker: Worker | None = None
        self.leads = False
        self.is_paused = False
        self._store: MemoryStore | None = None
        self._waiting: list[bytes] = []
        self._starts = 0
        self._start_at = 0

    def step(self) -> None:
        """A little of its life; what ends it is what may end an engine."""
        if self.is_paused or self.world.hours.elapsed_ms < self._start_at:
            return
        try:
            self._live()
        except (Killed, ConnectionLost, DatabaseDown, Fenced):
            self.kill()
        except JournalTailMoved:
            if not self.world.was_cut:
                raise
            self.kill()
        except JournalBroken:
            if not self.world.was_cut:
                raise
            self._hand_back()
            self.kill()
        except CommandFailed as failed:
            if not isinstance(failed.__cause__, Bug):
                raise
            self._hand_back()
            self.kill()

    def _live(self) -> None:
        if self.worker is None:
            self._start()
        elif not self.leads:
            self._stand_by(self.worker)
        else:
            waiting = self._waiting or self._require_store().wait(
                self.worker._limit, self.worker._patience_ms()
            )
            self._waiting = self.worker.step(waiting)

    def _start(self) -> None:
        world = self.world
        self._starts += 1
        owner = f"{self.name}-{self._starts}"
        network = world.network_of(self)
        store = self._store = world.parts.store(world.redis, owner, network)
        clock = world.parts.clock(world.hours.wall, world.hours.monotonic)
        self.worker = world.parts.worker(
            store, clock, self._load(store), world.hours.monotonic, self._check(store)
        )

    def _load(self, store: MemoryStore) -> Callable[[], Replica]:
        world = self.world

        def load() -> Replica:
            records = MemoryRecords(world.database, world.publishing.position)
            replica = world.parts.load(store, records)
            # The same engine, but for poison: neither snapshots nor replays come across any.
            replica.engine.__class__ = FragileEngine
            return replica

        return load

    def _check(self, store: MemoryStore) -> Callable[[], None]:
        """What a take-over asks of the witnesses, as far as they answer."""

        def check() -> None:
            records = MemoryRecords(self.world.database, self.world.publishing.position)
            with suppress(DatabaseDown):
                self.world.parts.check(store, records)

        return check

    def _stand_by(self, worker: Worker) -> None:
        if worker.lead():
            worker.recover()
            self._waiting = self._require_store().peek(worker._limit)
            self.leads = True
        else:
            worker.stand_by()

    def stop(self) -> None:
        """As the supervisor does: it hands back the lease."""
        if self.worker is None or self.is_paused:
            return
        try:
            if self.worker._in_flight is not None:
                self.worker._answer()
            self._hand_back()
        except (Killed, ConnectionLost, Fenced):
            pass
        except JournalTailMoved:
            if not self.world.was_cut:
                raise
        self.kill()

    def _hand_back(self) -> None:
        with suppress(Killed, ConnectionLost):
            self._require_store().release()

    def kill(self) -> None:
        if self._store is not None:
            self._store.abandon()
        self.worker, self._store, self.leads, self._waiting = None, None, False, []
        self._start_at = self.world.hours.elapsed_ms + self.world.restart_pause_ms()

    def _require_store(self) -> MemoryStore:
        assert self._store is not None
        return self._store
