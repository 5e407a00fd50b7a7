"""The channel layer on a real Redis: nothing is lost in silence."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from exchange_site.servers.addresses import ServerAddresses
from realtime import layer as layers
from realtime.layer import LOST, FeedChannelLayer
from realtime.tests.sockets import PATIENCE_S, eventually


@pytest.fixture
async def layer(servers: ServerAddresses, shared_redis: "redis.Redis") -> AsyncIterator[Any]:
    layer = FeedChannelLayer(hosts=[servers.redis_url])
    yield layer
    await layer.flush()


def message(number: int) -> dict[str, Any]:
    return {"type": "feed.frame", "number": number}


async def joined(layer: Any, *groups: str) -> str:
    channel: str = await layer.new_channel()
    for group in groups:
        await layer.group_add(group, channel)
    return channel


async def receive(layer: Any, channel: str) -> Any:
    return await asyncio.wait_for(layer.receive(channel), PATIENCE_S)


async def test_what_is_sent_after_joining_arrives_in_order(layer: Any) -> None:
    channel = await joined(layer, "a", "b")
    for number, group in enumerate("abca", start=1):
        await layer.group_send(group, message(number))
    assert [(await receive(layer, channel))["number"] for _ in range(3)] == [1, 2, 4]


async def test_a_group_has_a_channel_of_redis(layer: Any, shared_redis: "redis.Redis") -> None:
    channel = await joined(layer, "a", "b")
    name, data = layer.channel_of("a"), layer.serialize(message(1))
    assert shared_redis.publish(name, data) == 1
    assert await receive(layer, channel) == message(1)
    await layer.group_discard("a", channel)
    await layer.group_send("b", message(2))
    assert (await receive(layer, channel))["number"] == 2
    assert shared_redis.publish(name, data) == 0


async def test_a_broken_connection_is_told_and_the_next_join_works(
    layer: Any, shared_redis: "redis.Redis"
) -> None:
    channel = await joined(layer, "a")
    shared_redis.client_kill_filter(_type="pubsub")
    assert (await receive(layer, channel))["type"] == LOST
    assert not shared_redis.pubsub_channels()
    await layer.group_add("a", channel)
    await layer.group_send("a", message(5))
    assert (await receive(layer, channel))["number"] == 5


async def test_a_full_queue_is_told(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "QUEUE_LENGTH", 10)
    channel = await joined(layer, "a")
    for number in range(30):
        await layer.group_send("a", message(number))
    numbers = []
    while (found := await receive(layer, channel))["type"] != LOST:
        numbers.append(found["number"])
    assert numbers == list(range(len(numbers)))


class Wire:
    """A way to Redis that can go dead in silence: nothing comes through, and nothing is closed."""

    def __init__(self, target: str) -> None:
        self.dead = False
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, requests = await asyncio.open_unix_connection(self._target)
        for source, sink in ((client, requests), (server, answers)):
            task = asyncio.create_task(self._copy(source, sink))
            self._tasks.add(task)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if not self.dead:
                    sink.write(data)
        sink.close()


async def test_a_connection_that_died_in_silence_is_told(
    servers: ServerAddresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "HEARTBEAT_S", 0.5)
    wire = Wire(urlsplit(servers.redis_url).path)
    async with await asyncio.start_unix_server(wire.carry, tmp_path / "wire"):
        layer: Any = FeedChannelLayer(hosts=[f"unix://{tmp_path / 'wire'}"])
        channel = await joined(layer, "a")
        wire.dead = True
        assert (await receive(layer, channel))["type"] == LOST
        wire.dead = False
        monkeypatch.undo()
        await layer.group_add("a", channel)
        await layer.group_send("a", message(6))
        assert (await receive(layer, channel))["number"] == 6
        await layer.flush()


@pytest.mark.parametrize("groups", [("a",), ()])
async def test_quiet_times_break_nothing(
    layer: Any,
    shared_redis: "redis.Redis",
    monkeypatch: pytest.MonkeyPatch,
    groups: tuple[str, ...],
) -> None:
    monkeypatch.setattr(layers, "HEARTBEAT_S", 0.005)
    monkeypatch.setattr(layers, "UNANSWERED_HEARTBEATS", 200)  # a busy machine may need a second
    channel = await joined(layer, *groups)
    if not groups:  # a connection that subscribes to nothing is answered otherwise
        shared_redis.client_kill_filter(_type="pubsub")
        assert (await receive(layer, channel))["type"] == LOST
        await layer.group_add("b", channel)
        await layer.group_discard("b", channel)
    before = pings(shared_redis)

    async def many() -> bool:
        return pings(shared_redis) > before + layers.UNANSWERED_HEARTBEATS

    await eventually(many, "more heartbeats than may be unanswered")
    await layer.group_add("a", channel)
    await layer.group_send("a", message(7))
    assert (await receive(layer, channel))["number"] == 7


def pings(connection: "redis.Redis") -> int:
    """How many the server has answered so far."""
    found: Any = connection.info("commandstats")
    return int(found.get("cmdstat_ping", {"calls": 0})["calls"])
