"""The two tasks that follow the journal: the projector, and the follower that trims it."""

from typing import TYPE_CHECKING

from engine.journal import EncodedEntry
from engine.projector.loop import JournalGapError, JournalMismatchError
from engine.snapshots.codec import SnapshotInvalid
from engine.snapshots.follower import Follower, Policy
from engine.worker.recovery import JournalBroken
from simulation.memory_database import DatabaseDown, MemoryRecords
from simulation.network import ConnectionLost, Killed

if TYPE_CHECKING:
    from simulation.world import World

KEPT_SNAPSHOTS = 3
FOR_EVER_S = 1e12
MAX_PROJECTED = 6


class Projector:
    def __init__(self, world: "World") -> None:
        self._world = world

    def step(self) -> None:
        world = self._world
        try:
            self._project()
        except (Killed, ConnectionLost, DatabaseDown):
            return
        except (JournalGapError, JournalMismatchError):
            if not world.is_cut:
                raise

    def _project(self) -> None:
        world = self._world
        world.database.require_up()
        position = world.database.position
        stream = list(world.redis.read_after(max(0, position - 1)))
        world.database.check_same_journal(stream)
        entries = [entry for entry in stream if entry.sequence > position][:MAX_PROJECTED]
        if entries:
            self.write(entries)

    def write(self, entries: list[EncodedEntry]) -> None:
        network = self._world.task_network
        self._world.database.project(entries, lambda: network.before("commit"))


class Following:
    """One follower after the other, and the trimming that each does after its work."""

    def __init__(self, world: "World", every_commands: int, keep_entries: int) -> None:
        self._world = world
        self._policy = Policy(FOR_EVER_S, every_commands, KEPT_SNAPSHOTS, keep_days=0)
        self._keep_entries = keep_entries
        self._follower: Follower | None = None

    def step(self) -> None:
        follower, self._follower = self._follower, None
        try:
            self._follower = self._follow(follower)
        except (Killed, ConnectionLost, DatabaseDown):
            return
        except SnapshotInvalid:
            if not self._world.damages_snapshots:
                raise
        except JournalBroken:
            if not self._world.is_cut:
                raise

    def _follow(self, follower: Follower | None) -> Follower:
        world = self._world
        world.task_network.before("follow")
        if follower is None:
            records = MemoryRecords(world.database, world.publishing.position)
            follower = Follower(world.redis, records, self._policy, world.database)
        follower.follow(seconds=FOR_EVER_S)
        if not world.is_cut:
            self._trim(follower.verified)
        return follower

    @property
    def sequence(self) -> int:
        return self._follower.replica.sequence if self._follower is not None else 0

    def _trim(self, verified: int) -> None:
        world = self._world
        needless = world.parts.last_needless(
            archived=world.database.position,
            snapshot=verified,
            published=world.publishing.position(),
            kept=world.redis.tail() - self._keep_entries,
        )
        journal = world.redis.journal
        if journal and journal[0].sequence <= needless:
            world.task_network.before("trim")
            world.redis.trim(needless + 1)
            world.judge.was_trimmed()
