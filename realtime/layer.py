"""The channel layer: Channels' own for Redis pub/sub, made honest about loss.

Pub/sub forgets what nobody received. Channels' layer reconnects quietly, and its queues grow
without a limit; both would leave sockets with gaps that nobody knows of. This one

- tells every channel of the process `LOST` when its connection breaks, and when its queue is full:
  what was joined is left then, and must be joined anew;
- asks again and again whether the connection lives: one whose other end vanished says nothing;
- answers `group_add` when Redis has confirmed it, so that what is sent from then on arrives;
- never sends anything twice by itself.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

import msgspec
import redis.asyncio
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer

from engine.connections import connect_async

LOST: Final = "feed.lost"
"""Type of the message that says: some may be missing."""

QUEUE_LENGTH: Final = 10_000
"""Messages that wait for one channel of this process."""

HEARTBEAT_S: Final = 5.0
UNANSWERED_HEARTBEATS: Final = 2
"""One alone may have waited for this process, if that was stopped or busy."""

_log = logging.getLogger(__name__)


class FeedChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """Configured with `hosts`: a list of one address."""

    serialize = staticmethod(msgspec.msgpack.Encoder().encode)
    deserialize = staticmethod(msgspec.msgpack.Decoder().decode)

    def channel_of(self, group: str) -> str:
        """Redis' channel of the group, for who publishes what `serialize` made by himself."""
        return str(self._get_layer()._get_group_channel_name(group))

    def _get_layer(self) -> "FeedLoopLayer":
        loop = asyncio.get_running_loop()
        layer = self._layers.get(loop)
        if layer is None:
            super()._get_layer()  # registers the clean-up at the loop's end
            layer = self._layers[loop] = FeedLoopLayer(
                *self._args, **self._kwargs, channel_layer=self
            )
        assert isinstance(layer, FeedLoopLayer)
        return layer


class FeedLoopLayer(RedisPubSubLoopLayer):  # type: ignore[misc]
    def __init__(self, hosts: list[str], **kwargs: Any) -> None:
        super().__init__(hosts=hosts, **kwargs)
        (url,) = hosts
        self._shards = [Subscriptions(url, self)]

    async def _subscribe_to_channel(self, channel: str) -> None:
        self.channels[channel] = asyncio.Queue(QUEUE_LENGTH)
        await self._get_shard(channel).subscribe(channel)

    def deliver(self, name: str, data: bytes) -> None:
        """Called for every message that Redis sends."""
        for channel in self.groups.get(name, (name,)):
            queue = self.channels.get(channel)
            if queue is None:
                continue
            if queue.full():
                _log.warning("the queue of %s is full", channel)
                self._tell_lost(queue)
            else:
                queue.put_nowait(data)

    def lose(self) -> None:
        """The connection broke: everything was left, and everybody is told."""
        self.groups.clear()
        for queue in self.channels.values():
            self._tell_lost(queue)

    def _tell_lost(self, queue: "asyncio.Queue[bytes]") -> None:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(self.channel_layer.serialize({"type": LOST}))


class Subscriptions:
    """One connection that subscribes and one that publishes, both without retries."""

    def __init__(self, url: str, layer: FeedLoopLayer) -> None:
        self._url = url
        self._layer = layer
        self._lock = asyncio.Lock()
        self._publishing: Any = None
        self._connection: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self._unanswered = 0
        self._subscribed: set[str] = set()
        self._confirmations: dict[str, asyncio.Future[None]] = {}

    async def publish(self, name: str, data: bytes) -> None:
        await self._client().publish(name, data)

    async def subscribe(self, name: str) -> None:
        """Returns when Redis has confirmed it. Raises redis.RedisError."""
        async with self._lock:
            if name in self._subscribed:
                return
            await self._connect()
            confirmed = asyncio.get_running_loop().create_future()
            self._confirmations[name] = confirmed
            try:
                await self._connection.send_command("SUBSCRIBE", name)
                await asyncio.wait_for(confirmed, 5.0)
            except (OSError, TimeoutError) as error:
                self._break()
                raise redis.ConnectionError("the subscription was not confirmed") from error
            finally:
                self._confirmations.pop(name, None)
            self._subscribed.add(name)

    async def unsubscribe(self, name: str) -> None:
        async with self._lock:
            if name in self._subscribed:
                self._subscribed.discard(name)
                with suppress(redis.RedisError, OSError):
                    await self._connection.send_command("UNSUBSCRIBE", name)

    async def flush(self) -> None:
        async with self._lock:
            self._end_tasks()
            self._subscribed.clear()
            if self._connection is not None:
                await self._connection.disconnect()
                self._connection = None
            if self._publishing is not None:
                await self._publishing.aclose()
                self._publishing = None

    def _client(self) -> Any:
        if self._publishing is None:
            self._publishing = connect_async(self._url)
        return self._publishing

    async def _connect(self) -> None:
        if self._connection is not None:
            return
        client = connect_async(self._url, timeout_s=None, protocol=2)
        connection = client.connection_pool.make_connection()
        await connection.connect()
        self._connection = connection
        self._unanswered = 0
        self._tasks = [
            asyncio.create_task(self._read(connection)),
            asyncio.create_task(self._beat(connection)),
        ]

    async def _read(self, connection: Any) -> None:
        try:
            while True:
                answer = await connection.read_response(disconnect_on_error=False)
                self._unanswered = 0
                if answer == b"PONG" or answer[0] == b"pong":  # without subscriptions, or with
                    continue
                kind, name, data = answer
                if kind == b"message":
                    self._layer.deliver(name.decode(), data)
                elif kind == b"subscribe":
                    confirmed = self._confirmations.get(name.decode())
                    if confirmed is not None and not confirmed.done():
                        confirmed.set_result(None)
        except (redis.RedisError, OSError) as error:
            _log.warning("the subscriptions broke: %s", error)
        finally:
            if self._connection is connection:
                self._break()
            with suppress(redis.RedisError, OSError, asyncio.CancelledError):
                await connection.disconnect(nowait=True)

    async def _beat(self, connection: Any) -> None:
        """Whatever Redis says is a sign of life; where nothing happens, its answer to PING is."""
        try:
            while self._unanswered < UNANSWERED_HEARTBEATS:
                self._unanswered += 1
                await connection.send_command("PING")
                await asyncio.sleep(HEARTBEAT_S)
            raise redis.TimeoutError("PING is not answered")
        except (redis.RedisError, OSError) as error:
            _log.warning("the subscriptions broke: %s", error)
            self._break()

    def _break(self) -> None:
        """Forget the connection and what was subscribed on it. The next subscription makes one."""
        self._end_tasks()
        self._connection = None
        self._subscribed.clear()
        for confirmed in self._confirmations.values():
            if not confirmed.done():
                confirmed.set_exception(redis.ConnectionError("the connection broke"))
        self._layer.lose()

    def _end_tasks(self) -> None:
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._tasks = []
