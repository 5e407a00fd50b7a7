"""One world: what is in it, in what order things happen, and what breaks when, by one seed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from engine.journal import EncodedEntry
from engine.publisher.publisher import Publisher
from engine.snapshots.codec import Packed
from engine.snapshots.trimming import last_needless
from engine.worker.clock import SteadyClock
from engine.worker.loader import check_witnesses, load_replica
from simulation.clients import SETUP, Client
from simulation.engines import Check, EngineProcess, Load, SmallBatches
from simulation.following import Following, Projector
from simulation.hours import Hours
from simulation.judge import Judge, demand
from simulation.memory_database import MemoryDatabase
from simulation.memory_redis import MemoryRedis, MemoryStore
from simulation.network import ConnectionLost, Fate, Killed, Network
from simulation.publishing import Publishing

STEPS = 140
NO_LIMIT = 100_000
MAX_PEACE_ROUNDS = 400
"""In peace, everything must be done within so many rounds."""
HOUR_MS = 3_600_000


def push(server: MemoryRedis, envelope: bytes, network: Network) -> int:
    """Hand over once, come what may. Raises ConnectionLost."""
    length = server.push(envelope)
    network.after("push")
    return length


Push = Callable[[MemoryRedis, bytes, Network], int]


class Needless(Protocol):
    def __call__(self, *, archived: int, snapshot: int, published: int, kept: int) -> int: ...


@dataclass
class Parts:
    """What the world is made of: planted bugs put something else in a place."""

    worker: type[SmallBatches] = SmallBatches
    store: type[MemoryStore] = MemoryStore
    clock: type[SteadyClock] = SteadyClock
    load: Load = load_replica
    check: Check = check_witnesses
    push: Push = push
    projector: type[Projector] = Projector
    publisher: type[Publisher] = Publisher
    last_needless: Needless = last_needless


@dataclass
class Faults:
    """How often what breaks. Each world has some of them only: rare ones hide behind others."""

    kill: float = 0.0
    lose: float = 0.0
    pause: float = 0.0
    slow: float = 0.0
    drop_reply: float = 0.0
    repeat_reply: float = 0.0
    kill_task: float = 0.0
    kill_publisher: float = 0.0
    lose_push: float = 0.0
    events: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, chance: Random) -> "Faults":
        def sometimes(rate: float) -> float:
            return rate * chance.choice((0.0, 0.0, 0.3, 1.0, 3.0))

        return cls(
            kill=sometimes(0.01),
            lose=sometimes(0.01),
            pause=sometimes(0.01),
            slow=chance.choice((0.0, 0.3)),
            drop_reply=sometimes(0.05),
            repeat_reply=sometimes(0.05),
            kill_task=sometimes(0.03),
            kill_publisher=sometimes(0.01),
            lose_push=sometimes(0.03),
            events={
                "crash_redis": sometimes(0.01),
                "stop_database": sometimes(0.01),
                "set_clock": sometimes(0.01),
                "damage_snapshot": sometimes(0.01),
                "lose_feeds": sometimes(0.004),
                "stop_engine": sometimes(0.01),
                "cut_journal": sometimes(0.004),
                "sleep": sometimes(0.03),
            },
        )


class Trouble:
    """The network of one party, which breaks by chance while there is trouble."""

    def __init__(
        self,
        world: "World",
        *,
        kill: float = 0.0,
        lose: float = 0.0,
        pause: Callable[[], None] | None = None,
    ) -> None:
        self._world = world
        self._kill = kill
        self._lose = lose
        self._pause = pause

    def before(self, call: str) -> None:
        self._strike()
        faults, chance = self._world.faults, self._world.chance
        if self._pause is not None and self._world.is_troubled and chance.random() < faults.pause:
            self._pause()

    def after(self, call: str) -> None:
        self._strike()

    def _strike(self) -> None:
        if not self._world.is_troubled:
            return
        dice = self._world.chance.random()
        if dice < self._kill:
            raise Killed
        if dice < self._kill + self._lose:
            raise ConnectionLost

    def is_quick(self) -> bool:
        return not self._world.is_troubled or self._world.chance.random() >= self._world.faults.slow

    def fate(self) -> Fate:
        return self._world.chance.choice(list(Fate)) if self._world.is_troubled else Fate.DONE


class World:
    """`run` plays it. Raises Unjust where a promise is broken, and whatever else is a bug."""

    def __init__(self, seed: int, parts: Parts | None = None) -> None:
        self.seed = seed
        self.parts = parts or Parts()
        self.chance = Random(seed)
        self.faults = Faults.of(self.chance)
        self.poison = self.chance.choice((0, 0, 1, 3))
        """Orders on which the engine will fail: each ends three engines."""
        self.is_troubled = True
        self.hours = Hours()
        self.redis = MemoryRedis(self.hours)
        self._max_queue = self.chance.choice((6, 20, NO_LIMIT))
        self.database = MemoryDatabase()
        self.damages_snapshots = bool(self.faults.events["damage_snapshot"])
        self.client_network: Network = Trouble(self, lose=self.faults.lose_push)
        self.task_network: Network = Trouble(self, kill=self.faults.kill_task)
        self.publishing = Publishing(self, Trouble(self, kill=self.faults.kill_publisher))
        self.judge = Judge(self)
        self.engines = [EngineProcess(self, name) for name in "AB"[: self.chance.choice((1, 2, 2))]]
        self.clients = [Client(self, name, self.chance) for name in ("web", "bot")]
        self.projector = self.parts.projector(self)
        self.following = Following(
            self,
            every_commands=self.chance.choice((4, 10, 30)),
            keep_entries=self.chance.choice((1, 3, 10)),
        )
        self.redis.appended = self.judge.entry_appended
        self.redis.published = self._deliver
        self._cut_off: list[EncodedEntry] = []
        self.was_cut = False
        """Was it ever? A commit that was refused then may be heard of later."""
        self._steps = 0
        self._depth = 0
        self._events: dict[str, Callable[[], None]] = {
            "crash_redis": self._crash_redis,
            "stop_database": self._stop_database,
            "set_clock": self._set_clock,
            "damage_snapshot": self._damage_snapshot,
            "lose_feeds": self._lose_feeds,
            "stop_engine": self._stop_engine,
            "cut_journal": self._cut_journal,
            "sleep": lambda: self.hours.let_pass(self.chance.choice((400, 1_200, 3_000))),
        }

    @property
    def is_cut(self) -> bool:
        """Did the journal lose its end, so that nobody may go on?"""
        return bool(self._cut_off)

    def run(self) -> None:
        self._set_up()
        while self._steps < STEPS:
            self._step()
        self._make_peace()
        self._drain()
        self.judge.everything_was_served()
        self._serve_another()
        self._drain()
        self.judge.all_agree()

    def _set_up(self) -> None:
        self._be_troubled(False)
        for command in SETUP:
            self.clients[0].ask(command)
        for _ in range(3):
            self._round()
        self._be_troubled(True)

    def _be_troubled(self, is_troubled: bool) -> None:
        self.is_troubled = is_troubled
        self.redis.max_queue = self._max_queue if is_troubled else NO_LIMIT
        for client in self.clients:
            client.is_trading = is_troubled

    # In trouble.

    def _step(self) -> None:
        self._steps += 1
        self.hours.let_pass(self.chance.randrange(25))
        for name, rate in self.faults.events.items():
            if rate and self.chance.random() < rate:
                self._events[name]()
        self._recover_servers()
        self.chance.choices(self._actors(), _WEIGHTS[len(self.engines)])[0]()

    def _actors(self) -> list[Callable[[], None]]:
        return [
            *(engine.step for engine in self.engines),
            *(client.step for client in self.clients),
            self.projector.step,
            self.following.step,
            self.publishing.step,
        ]

    def _recover_servers(self) -> None:
        chance = self.chance
        if not self.redis.is_up and chance.random() < 0.2:
            self.redis.start()
        if not self.database.is_up and chance.random() < 0.05:
            self.database.is_up = True
        if self.redis.late and self.redis.is_up and chance.random() < 0.1:
            self.redis.receive_late()
        if self._cut_off and chance.random() < 0.05:
            self._restore_journal()

    def network_of(self, engine: EngineProcess) -> Network:
        return Trouble(
            self, kill=self.faults.kill, lose=self.faults.lose, pause=lambda: self._pause(engine)
        )

    def _pause(self, engine: EngineProcess) -> None:
        """SIGSTOP, life goes on, SIGCONT: in the middle of the engine's call."""
        if self._depth >= 2:
            return
        with self._paused(engine):
            if self.chance.random() < 0.5:
                self.hours.let_pass(1_100)  # longer than its lease
            for _ in range(self.chance.choice((1, 5, 25))):
                if self._steps < STEPS:
                    self._step()

    @contextmanager
    def _paused(self, engine: EngineProcess) -> Iterator[None]:
        engine.is_paused = True
        self._depth += 1
        try:
            yield
        finally:
            engine.is_paused = False
            self._depth -= 1

    def restart_pause_ms(self) -> int:
        return self.chance.choice((0, 50, 300)) if self.is_troubled else 0

    def _deliver(self, name: str, text: bytes) -> None:
        self.judge.reply_sent(name, text)
        client = next(client for client in self.clients if client.name == name)
        dropped, repeated = self.chance.random(), self.chance.random()
        if self.is_troubled and dropped < self.faults.drop_reply:
            return
        client.receive(text)
        if self.is_troubled and repeated < self.faults.repeat_reply:
            client.receive(text)

    def _crash_redis(self) -> None:
        if self.redis.is_up:
            self.judge.were_lost(self.redis.crash())

    def _stop_database(self) -> None:
        """Not while the journal is cut: with both ill there is nobody to ask, and trading goes on
        without a database."""
        if not self.is_cut:
            self.database.is_up = False

    def _set_clock(self) -> None:
        self.hours.wall_ahead_ms += self.chance.choice((-HOUR_MS, HOUR_MS))

    def _damage_snapshot(self) -> None:
        """A flipped bit, a torn end, or a row that is gone."""
        shelf, chance = self.database.shelf, self.chance
        if not shelf:
            return
        number = chance.randrange(len(shelf))
        packed = shelf[number]
        kind = chance.randrange(3) if packed.size else 2  # one that was torn at its first byte
        if kind == 0:
            data = bytearray(packed.pieces[0])
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            shelf[number] = Packed(packed.header, packed.sha256, [bytes(data)])
        elif kind == 1:
            torn = packed.pieces[0][: chance.randrange(packed.size)]
            shelf[number] = Packed(packed.header, packed.sha256, [torn])
        else:
            del shelf[number]

    def _lose_feeds(self) -> None:
        self.publishing.lose_store()

    def _stop_engine(self) -> None:
        self.chance.choice(self.engines).stop()

    def _cut_journal(self) -> None:
        """The journal's end is gone, and somebody has seen it. No connection breaks: whoever leads
        finds another tail, and whoever leads next asks the witnesses first."""
        journal, seen = self.redis.journal, self.database.position
        is_well = self.redis.is_up and self.database.is_up
        if self._cut_off or self._depth or not is_well or seen < 2:
            return
        self._cut_off = [entry for entry in journal if entry.sequence >= seen]
        if len(self._cut_off) == len(journal):
            self._cut_off = []
            return
        self.was_cut = True
        self.redis.journal = journal[: -len(self._cut_off)]
        self.redis.late.clear()

    def _restore_journal(self) -> None:
        """As FAILURES.md says: somebody puts the file back as it was."""
        self.redis.journal += self._cut_off
        self._cut_off = []

    # In peace.

    def _make_peace(self) -> None:
        self._be_troubled(False)
        self.redis.start()
        self.redis.receive_late()
        self.database.is_up = True
        if self._cut_off:
            self._restore_journal()

    def _drain(self) -> None:
        """Until nothing is left to do."""
        for _ in range(MAX_PEACE_ROUNDS):
            self._round()
            if self._is_quiet():
                return
        demand(False, "peace, and still not everything is done")

    def _round(self) -> None:
        self.hours.let_pass(250)
        for act in self._actors():
            act()

    def _is_quiet(self) -> bool:
        tail = self.redis.tail()
        return (
            not self.redis.queue
            and any(engine.leads for engine in self.engines)
            and not any(request.is_open for c in self.clients for request in c.requests)
            and tail == self.judge.reference.sequence
            and tail == self.database.position == self.publishing.position()
            and tail == self.following.sequence
            and self.judge.reference.engine.next_deadline() is None
        )

    def _serve_another(self) -> None:
        """An exchange that lost nothing but does nothing would be of no use."""
        request = self.clients[0].ask(self.clients[0].plain_order())
        for _ in range(5):
            self._round()
        demand(request.reply is not None, "an order in peace is not answered")


_WEIGHTS = {1: (8, 3, 3, 2, 1, 3), 2: (5, 5, 3, 3, 2, 1, 3)}
