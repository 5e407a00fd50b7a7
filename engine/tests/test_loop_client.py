"""From a coroutine: in order, many with one push, and each told what became of it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

import msgspec
import pytest
import redis

from engine import intake
from engine.connections import connect
from engine.core.commands import CancelOrder, Command, DefineAsset, Deposit
from engine.core.queries import GetBalances, Query
from engine.core.replies import Accepted, Done
from engine.intake import FULL_KEY
from engine.loop_client import LoopClient, Outcome
from engine.outcomes import Answer, EngineOverloaded, EngineUnavailable, StatusUnknown
from engine.tests.envelopes import opened
from engine.wire import QUEUE_KEY, REPLY_CHANNEL, Replies
from engine.worker.clock import SteadyClock
from engine.worker.redis_store import RedisStore
from engine.worker.worker import Worker
from exchange_site.servers.addresses import ServerAddresses
from exchange_site.tests.processes import PATIENCE_S


@pytest.fixture
async def client(
    servers: ServerAddresses, engine_redis: "redis.Redis"
) -> AsyncIterator[LoopClient]:
    client = LoopClient(servers.engine_redis_url)
    yield client
    await client.close()


@pytest.fixture
def start_engine(
    servers: ServerAddresses, engine_redis: "redis.Redis"
) -> Iterator[Callable[[], None]]:
    stop = threading.Event()
    store = RedisStore(connect(servers.engine_redis_url))
    thread = threading.Thread(target=Worker(store, SteadyClock()).run, args=(stop.is_set,))
    yield thread.start
    stop.set()
    if thread.ident is not None:
        thread.join()


async def wait_for_queue(connection: "redis.Redis", length: int = 1) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while connection.llen(QUEUE_KEY) < length:
            await asyncio.sleep(0.001)


async def ask(client: LoopClient, message: Command | Query) -> Outcome:
    await client.ready()
    (outcome,) = await client.post([message])
    return outcome


async def reply_to(client: LoopClient, message: Command | Query) -> object:
    answer = await ask(client, message)
    assert isinstance(answer, Answer), answer
    return answer.reply


def deposit(number: int) -> Deposit:
    return Deposit(1, "USD", 1, f"d{number}")


def cancel(number: int) -> CancelOrder:
    return CancelOrder(1, "BTCUSD", order_id=number)


async def test_commands_are_answered(client: LoopClient, start_engine: Callable[[], None]) -> None:
    start_engine()
    assert await reply_to(client, DefineAsset("USD", 2)) == Done()
    replies = await asyncio.gather(*(reply_to(client, deposit(number)) for number in range(100)))
    assert replies == [Done()] * 100


async def test_an_unreadable_reply_harms_nobody_else(
    client: LoopClient, start_engine: Callable[[], None], engine_redis: "redis.Redis"
) -> None:
    """As an engine of another version might send it."""
    start_engine()
    await ask(client, DefineAsset("USD", 2))
    engine_redis.publish(REPLY_CHANNEL + client._name, b'[1,2,[[3,["news",4]]]]')
    assert await reply_to(client, deposit(1)) == Done()


async def test_after_a_broken_subscription_there_is_another(
    client: LoopClient, start_engine: Callable[[], None], engine_redis: "redis.Redis"
) -> None:
    await client.ready()
    posted = client.post([deposit(1), GetBalances(1)])
    engine_redis.client_kill_filter(_type="pubsub")
    outcomes = await posted
    assert [type(each) for each in outcomes] == [StatusUnknown, EngineUnavailable]
    assert "broke" in str(outcomes[0])
    start_engine()
    assert await reply_to(client, DefineAsset("USD", 2)) == Done()


async def test_a_full_journal_refuses(client: LoopClient, engine_redis: "redis.Redis") -> None:
    engine_redis.set(FULL_KEY, "because")
    assert isinstance(await ask(client, deposit(1)), EngineOverloaded)


async def test_the_queue_has_them_in_the_order_in_which_they_were_posted(
    client: LoopClient, engine_redis: "redis.Redis"
) -> None:
    await client.ready()
    posted = []
    for number in range(0, 3_000, 3):
        messages = [deposit(number + part) for part in range(3)]
        posted += messages
        client.post(messages)
    await wait_for_queue(engine_redis, len(posted))
    queued = [opened(text)[1] for text in engine_redis.lrange(QUEUE_KEY, 0, -1)]
    assert queued == posted


async def test_a_full_journal_still_takes_cancels(
    client: LoopClient, engine_redis: "redis.Redis"
) -> None:
    engine_redis.set(FULL_KEY, "it is")
    await client.ready()
    placed = client.post([deposit(1)])
    client.post([cancel(2)])
    assert [type(each) for each in await placed] == [EngineOverloaded]
    await wait_for_queue(engine_redis)
    (queued,) = engine_redis.lrange(QUEUE_KEY, 0, -1)
    assert opened(queued)[1] == cancel(2)


async def test_a_list_is_taken_whole_or_not_at_all(
    client: LoopClient, engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_QUEUE_LENGTH", 3)
    await client.ready()
    messages = [deposit(number) for number in range(4)]
    assert [type(each) for each in await client.post(messages)] == [EngineOverloaded] * 4
    assert engine_redis.llen(QUEUE_KEY) == 0


async def test_who_hears_nothing_in_time_does_not_know(
    servers: ServerAddresses, engine_redis: "redis.Redis"
) -> None:
    client = LoopClient(servers.engine_redis_url, timeout_s=1.0)
    await client.ready()
    first, second = client.post([deposit(1), GetBalances(1)]), client.post([deposit(2)])
    assert [type(each) for each in await first] == [StatusUnknown, EngineUnavailable]
    assert [type(each) for each in await second] == [StatusUnknown]
    third = client.post([deposit(3)])
    assert [type(each) for each in await third] == [StatusUnknown]
    assert client._pending == {}
    await client.close()


async def test_what_could_not_leave_in_time_never_does(
    servers: ServerAddresses, engine_redis: "redis.Redis"
) -> None:
    """A Redis that hangs takes connections and says nothing; when it goes on, what was told to have
    had no effect has none."""
    goes_on, ends = asyncio.Event(), asyncio.Event()

    async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        path = urlsplit(servers.engine_redis_url).path
        theirs, ours = await asyncio.open_unix_connection(path)
        ways = [asyncio.create_task(pass_on(*way)) for way in ((reader, ours), (theirs, writer))]
        await ends.wait()
        for way in ways:
            way.cancel()
        ours.close()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = LoopClient(f"redis://127.0.0.1:{port}", timeout_s=0.3)
    late = [client.post([deposit(number)]) for number in range(3)]
    outcomes = [outcome for future in late for outcome in await future]
    assert [type(outcome) for outcome in outcomes] == [EngineUnavailable] * 3
    goes_on.set()
    client._timeout_s = PATIENCE_S
    client.post([deposit(4)])
    await wait_for_queue(engine_redis)
    assert [opened(text)[1] for text in engine_redis.lrange(QUEUE_KEY, 0, -1)] == [deposit(4)]
    await client.close()
    ends.set()
    server.close()


async def test_a_reply_that_is_none_to_its_message_leaves_nobody_waiting(
    client: LoopClient, engine_redis: "redis.Redis"
) -> None:
    """As an engine of another version might send it."""
    await client.ready()
    posted = client.post([deposit(1)])
    await wait_for_queue(engine_redis)
    (queued,) = engine_redis.lrange(QUEUE_KEY, 0, -1)
    address, _ = opened(queued)
    replies = msgspec.json.encode(Replies(1, 1, [(address.request_id, Accepted(1, 1))]))
    engine_redis.publish(REPLY_CHANNEL + address.reply_to, replies)
    assert [type(outcome) for outcome in await posted] == [StatusUnknown]


async def test_who_waits_no_more_disturbs_nobody(
    client: LoopClient, start_engine: Callable[[], None]
) -> None:
    await client.ready()
    given_up = client.post([DefineAsset("USD", 2)])
    given_up.cancel()
    start_engine()
    assert await reply_to(client, deposit(1)) == Done()
