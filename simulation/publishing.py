"""The publisher: the real one, on a shared Redis in memory, with one subscriber to everything."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import redis

from engine.journal import EncodedEntry
from engine.leases import FENCED, GIVE_BACK
from engine.publisher import keys
from engine.publisher import store as feed_store
from engine.publisher.feeds import Feeds, FeedsState, JournalGap
from engine.publisher.publisher import OtherJournal, Publisher
from engine.publisher.record import restore_feeds
from engine.snapshots.codec import OpenSnapshot, SnapshotInvalid
from simulation.memory_database import DatabaseDown
from simulation.network import ConnectionLost, Killed, Network

if TYPE_CHECKING:
    from simulation.world import World


class _Patience(selectors.SelectSelector):
    """Never waits, but says how long it was asked to."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.waited += timeout or 0.0
        return super().select(0)


class HastyLoop(asyncio.SelectorEventLoop):
    """An event loop in which every wait is over at once."""

    def __init__(self) -> None:
        self._patience = _Patience()
        super().__init__(self._patience)

    def time(self) -> float:
        return self._patience.waited


@lru_cache(maxsize=1)
def _loop() -> HastyLoop:
    return HastyLoop()


class Pipeline:
    def __init__(self, server: "SharedRedis") -> None:
        self._server = server
        self._asked: list[Any] = []

    def get(self, key: str) -> "Pipeline":
        self._asked.append(self._server.values.get(key))
        return self

    def lrange(self, key: str, _first: int, _last: int) -> "Pipeline":
        self._asked.append(list(self._server.lists.get(key, [])))
        return self

    def hgetall(self, key: str) -> "Pipeline":
        self._asked.append(dict(self._server.hashes.get(key, {})))
        return self

    async def execute(self) -> list[Any]:
        return self._asked


class SharedRedis:
    """What the publisher's store needs of its Redis, and the stream that it reads."""

    def __init__(self, world: "World", network: Network) -> None:
        self._world = world
        self._network = network
        self.values: dict[str, bytes] = {}
        self.hashes: dict[str, dict[bytes, bytes]] = {}
        self.lists: dict[str, list[bytes]] = {}
        self._lease: tuple[str, int] | None = None
        self._epoch = 0

    def lose_everything(self) -> None:
        self.values.clear()
        self.hashes.clear()
        self.lists.clear()

    def pipeline(self) -> Pipeline:
        return Pipeline(self)

    async def scan_iter(self, pattern: str) -> AsyncIterator[bytes]:
        for key in [*self.values, *self.hashes, *self.lists]:
            if fnmatchcase(key, pattern):
                yield key.encode()

    async def eval(self, script: str, _keys: int, *arguments: Any) -> Any:
        self._network.before("feed")
        answer = self._run(script, arguments)
        self._network.after("feed")
        return answer

    def _run(self, script: str, arguments: tuple[Any, ...]) -> Any:
        now = self._world.hours.elapsed_ms
        holder = self._lease[0] if self._lease and self._lease[1] > now else None
        if script == feed_store._ACQUIRE:
            _, _, owner, lease_ms = arguments
            if holder is not None:
                return None
            self._epoch += 1
            self._lease = owner, now + lease_ms
            return self._epoch
        if script == GIVE_BACK:
            if holder == arguments[1]:
                self._lease = None
            return None
        _, _, frames, epoch, owner, lease_ms, packed, unheard, _most, *messages = arguments
        if epoch != self._epoch or holder not in (None, owner):
            raise redis.ResponseError(f"{FENCED} somebody else leads")
        joined = self._listeners(msgspec.msgpack.decode(unheard, type=list[list[str]]))
        if joined:
            return joined, []
        self._lease = owner, now + lease_ms
        for command in msgspec.msgpack.decode(packed, type=list[list[str]]):
            self._change(*command)
        for channel, data in zip(messages[::2], messages[1::2], strict=True):
            self.lists.setdefault(frames, []).extend((channel.encode(), data))
        self.publish(messages[1::2])
        return [], []

    def _listeners(self, channels: list[list[str]]) -> list[bytes]:
        """Somebody listens to every stream."""
        return [channel.encode() for part in channels for channel in part]

    def publish(self, messages: Iterable[bytes]) -> None:
        for data in messages:
            self._world.judge.frame_sent(msgspec.msgpack.decode(data))

    def _change(self, name: str, *arguments: str) -> None:
        key, rest = arguments[0], arguments[1:]
        if name == "SET":
            self.values[key] = rest[0].encode()
        elif name == "DEL":
            for gone in arguments:
                self.values.pop(gone, None)
                self.hashes.pop(gone, None)
                self.lists.pop(gone, None)
        elif name == "HSET":
            fields = self.hashes.setdefault(key, {})
            for field, value in zip(rest[::2], rest[1::2], strict=True):
                fields[field.encode()] = value.encode()
        elif name == "HDEL":
            for field in rest:
                self.hashes.get(key, {}).pop(field.encode(), None)
        else:  # the prices once more, in order: only a page of depth needs them
            assert name in ("ZADD", "ZREM")

    # The journal's stream, as the publisher reads it.

    async def execute_command(self, name: str, *arguments: Any) -> list[Any]:
        assert (name, arguments[0], arguments[-3]) == ("XREAD", "COUNT", "STREAMS")
        self._network.before("xread")
        count, stream, last = arguments[1], *arguments[-2:]
        entries = list(self._world.redis.read_after(int(last.split("-")[0])))[:count]
        return [[stream, [_stream_entry(entry) for entry in entries]]] if entries else []

    async def xrevrange(self, _name: str, count: int) -> list[Any]:
        tail = self._world.redis.tail()
        return [(f"{tail}-0".encode(), {})] if tail else []


def _stream_entry(entry: EncodedEntry) -> tuple[bytes, dict[bytes, bytes]]:
    return f"{entry.sequence}-0".encode(), {
        name.encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in entry.fields().items()
    }


class Audience:
    """The channel layer, as far as it is needed here."""

    def channel_of(self, group: str) -> str:
        return group

    def serialize(self, message: dict[str, Any]) -> bytes:
        return msgspec.msgpack.encode(message)


class MemoryPast:
    def __init__(self, world: "World") -> None:
        self._database = world.database

    async def newest_feeds(self) -> Feeds | None:
        for kept in self._database.snapshots():
            try:
                return restore_feeds(OpenSnapshot(kept.load()).feeds())
            except SnapshotInvalid:
                continue
        return None

    async def read_archive_after(self, sequence: int) -> list[EncodedEntry]:
        return self._database.read_archive_after(sequence)[:10]


class Publishing:
    """The one slot for a publisher process."""

    def __init__(self, world: "World", network: Network) -> None:
        self._world = world
        self.shared = SharedRedis(world, network)
        self._publisher: Publisher | None = None
        self._leads = False
        self._start_at = 0

    def position(self) -> int:
        """The journal entry that the stored state has come to."""
        state = self.shared.values.get(keys.STATE)
        return msgspec.json.decode(state, type=FeedsState).sequence if state else 0

    def step(self) -> None:
        if self._world.hours.elapsed_ms < self._start_at:
            return
        try:
            self._run(self._live)
        except (Killed, ConnectionLost, DatabaseDown, feed_store.LeaseLost):
            self.die()
        except (JournalGap, OtherJournal):
            if not self._world.was_cut:
                raise
            self.die()

    def die(self) -> None:
        self._publisher, self._leads = None, False
        self._start_at = self._world.hours.elapsed_ms + self._world.restart_pause_ms()

    def lose_store(self) -> None:
        """The shared Redis came back empty."""
        self.shared.lose_everything()
        self.die()

    @staticmethod
    def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        _loop().run_until_complete(work())

    async def _live(self) -> None:
        publisher = self._publisher
        if publisher is None:
            publisher = self._publisher = self._make()
        if self._leads:
            await publisher.step()
        elif await publisher._store.acquire():
            await publisher.recover()
            self._leads = True

    def _make(self) -> Publisher:
        client: Any = self.shared
        return self._world.parts.publisher(
            client,
            feed_store.FeedStore(client),
            Audience(),
            MemoryPast(self._world),
            self._world.hours.wall_ms,
        )
