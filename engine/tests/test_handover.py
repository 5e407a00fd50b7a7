"""Posting from a coroutine: in order, many with one push, and each told what became of it."""

import asyncio
from collections.abc import Iterator

import pytest
import redis

from engine import intake
from engine.client import (
    EngineClient,
    EngineOverloaded,
    EngineUnavailable,
    StatusUnknown,
    settle,
    settle_all,
)
from engine.core.commands import CancelOrder, Command, Deposit
from engine.core.queries import GetBalances, Query
from engine.intake import FULL_KEY
from engine.wire import QUEUE_KEY, decode_envelope
from exchange_site.servers.addresses import ServerAddresses


@pytest.fixture
def client(servers: ServerAddresses, engine_redis: "redis.Redis") -> Iterator[EngineClient]:
    client = EngineClient(servers.engine_redis_url)
    yield client
    client.close()


def deposit(number: int) -> Deposit:
    return Deposit(1, "USD", 1, f"d{number}")


def cancel(number: int) -> CancelOrder:
    return CancelOrder(1, "BTCUSD", order_id=number)


async def test_the_queue_has_them_in_the_order_in_which_they_were_posted(
    client: EngineClient, engine_redis: "redis.Redis"
) -> None:
    await client.ready()
    posted = []
    for number in range(0, 3_000, 3):
        messages = [deposit(number + part) for part in range(3)]
        posted += messages
        client.post(messages)
    while engine_redis.llen(QUEUE_KEY) < len(posted):
        await asyncio.sleep(0)
    queued = [decode_envelope(text).message for text in engine_redis.lrange(QUEUE_KEY, 0, -1)]
    assert queued == posted


async def test_a_full_journal_still_takes_cancels(
    client: EngineClient, engine_redis: "redis.Redis"
) -> None:
    engine_redis.set(FULL_KEY, "it is")
    await client.ready()
    (placed,) = client.post([deposit(1)])
    client.post([cancel(2)])
    with pytest.raises(EngineOverloaded):
        await settle(placed, deposit(1), timeout=30)
    while not engine_redis.llen(QUEUE_KEY):
        await asyncio.sleep(0)
    (queued,) = engine_redis.lrange(QUEUE_KEY, 0, -1)
    assert decode_envelope(queued).message == cancel(2)


async def test_a_list_is_taken_whole_or_not_at_all(
    client: EngineClient, engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_QUEUE_LENGTH", 3)
    await client.ready()
    messages = [deposit(number) for number in range(4)]
    answers = await settle_all(client.post(messages), messages, timeout=30)
    assert [type(answer) for answer in answers] == [EngineOverloaded] * 4
    assert engine_redis.llen(QUEUE_KEY) == 0


async def test_who_hears_nothing_in_time_does_not_know(client: EngineClient) -> None:
    await client.ready()
    messages: list[Command | Query] = [deposit(1), GetBalances(1)]
    answers = await settle_all(client.post(messages), messages, timeout=0.01)
    assert [type(answer) for answer in answers] == [StatusUnknown, EngineUnavailable]
