"""The channel layer on a real Redis: nothing is lost in silence."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis

from exchange_site.servers.addresses import ServerAddresses
from realtime import layer as layers
from realtime.layer import LOST, FeedChannelLayer


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
    return await asyncio.wait_for(layer.receive(channel), 5)


async def test_what_is_sent_after_joining_arrives_in_order(layer: Any) -> None:
    channel = await joined(layer, "a", "b")
    await layer.group_send_many([("a", message(1)), ("b", message(2)), ("c", message(3))])
    await layer.group_send("a", message(4))
    assert [(await receive(layer, channel))["number"] for _ in range(3)] == [1, 2, 4]


async def test_who_listens(layer: Any) -> None:
    channel = await joined(layer, "a", "b")
    assert await layer.groups_listening(["a", "b", "c"]) == {"a", "b"}
    await layer.group_discard("b", channel)
    assert await layer.groups_listening([]) == set()
    await layer.group_send("a", message(1))
    assert (await receive(layer, channel))["number"] == 1
    assert await layer.groups_listening(["a", "b", "c"]) == {"a"}


async def test_a_broken_connection_is_told_and_the_next_join_works(
    layer: Any, shared_redis: "redis.Redis"
) -> None:
    channel = await joined(layer, "a")
    shared_redis.client_kill_filter(_type="pubsub")
    assert (await receive(layer, channel))["type"] == LOST
    assert await layer.groups_listening(["a"]) == set()
    await layer.group_add("a", channel)
    await layer.group_send("a", message(5))
    assert (await receive(layer, channel))["number"] == 5


async def test_a_full_queue_is_told(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "QUEUE_LENGTH", 10)
    channel = await joined(layer, "a")
    await layer.group_send_many([("a", message(number)) for number in range(11)])
    numbers = []
    while (found := await receive(layer, channel))["type"] != LOST:
        numbers.append(found["number"])
    assert numbers == list(range(len(numbers)))
