"""The client: an answer, or the plain truth about what is not known."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from engine import intake
from engine.client import EngineClient, EngineOverloaded, EngineUnavailable, StatusUnknown
from engine.connections import connect
from engine.core.commands import DefineAsset, Deposit
from engine.core.queries import GetBalances
from engine.core.replies import BalancesReply, Done
from engine.engine_time import ENGINE_TIME
from engine.wire import QUEUE_KEY, REPLY_CHANNEL
from engine.worker.clock import SteadyClock
from engine.worker.redis_store import RedisStore
from engine.worker.worker import Worker
from exchange_site.servers.addresses import ServerAddresses
from exchange_site.tests.processes import wait_until

StartEngine = Callable[[], None]


@pytest.fixture
def client(servers: ServerAddresses, engine_redis: "redis.Redis") -> Iterator[EngineClient]:
    client = EngineClient(servers.engine_redis_url)
    yield client
    client.close()


@pytest.fixture
def start_engine(servers: ServerAddresses, engine_redis: "redis.Redis") -> Iterator[StartEngine]:
    stop = threading.Event()
    store = RedisStore(connect(servers.engine_redis_url))
    thread = threading.Thread(target=Worker(store, SteadyClock()).run, args=(stop.is_set,))
    yield thread.start
    stop.set()
    if thread.ident is not None:
        thread.join()


def deposit(number: int, account: int = 1) -> Deposit:
    return Deposit(account, "USD", 1, f"d{number}")


def test_a_command_is_answered(client: EngineClient, start_engine: StartEngine) -> None:
    start_engine()
    first = client.call(DefineAsset("USD", 2))
    assert (first.sequence, first.reply) == (1, Done())
    assert client.call(deposit(1)).sequence == 2
    assert client.call(GetBalances(1)) == (2, BalancesReply((("USD", 1, 0),)))


def test_threads_get_their_own_answers(client: EngineClient, start_engine: StartEngine) -> None:
    start_engine()
    client.call(DefineAsset("USD", 2))

    def deposit_and_ask(account: int) -> int:
        for number in range(20):
            client.call(deposit(number, account))
        reply = client.call(GetBalances(account)).reply
        assert isinstance(reply, BalancesReply)
        return reply.balances[0][1]

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(deposit_and_ask, range(1, 17))) == [20] * 16


def test_what_waited_for_the_engine_is_answered(
    client: EngineClient, start_engine: StartEngine, engine_redis: "redis.Redis"
) -> None:
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(client.call, DefineAsset("USD", 2))
        wait_until(lambda: engine_redis.llen(QUEUE_KEY) == 1, "the command waits")
        start_engine()
        assert answer.result(10).reply == Done()


def test_silence_after_a_command_means_unknown(
    client: EngineClient, engine_redis: "redis.Redis"
) -> None:
    with pytest.raises(StatusUnknown):
        client.call(deposit(1), timeout=0.05)
    assert engine_redis.llen(QUEUE_KEY) == 1, "it was handed over, once"


def test_silence_after_a_query_means_unavailable(client: EngineClient) -> None:
    with pytest.raises(EngineUnavailable):
        client.call(GetBalances(1), timeout=0.05)


def test_nothing_waits_for_ever(client: EngineClient) -> None:
    with pytest.raises(StatusUnknown):
        client.call(deposit(1), timeout=0.05)
    assert client._pending == {}


def test_a_full_queue_refuses(
    client: EngineClient, engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_QUEUE_LENGTH", 2)
    engine_redis.rpush(QUEUE_KEY, "a", "b")
    with pytest.raises(EngineOverloaded, match="queue is full"):
        client.call(deposit(1))
    assert engine_redis.llen(QUEUE_KEY) == 2


def test_too_long_a_message_is_refused(client: EngineClient, engine_redis: "redis.Redis") -> None:
    with pytest.raises(EngineUnavailable, match="too long"):
        client.call(Deposit(1, "USD", 1, "k" * 10_000))
    assert engine_redis.llen(QUEUE_KEY) == 0


def test_no_server_means_unavailable(tmp_path: object) -> None:
    client = EngineClient(f"unix://{tmp_path}/nobody-listens.sock")
    with pytest.raises(EngineUnavailable):
        client.call(deposit(1))
    client.close()


def test_a_lost_subscription_means_unknown_and_heals(
    client: EngineClient, start_engine: StartEngine, engine_redis: "redis.Redis"
) -> None:
    """Replies that are published while nobody listens are lost: say so at once, listen again."""
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(client.call, DefineAsset("USD", 2), timeout=60)
        wait_until(lambda: engine_redis.llen(QUEUE_KEY) == 1, "the command waits")
        engine_redis.client_kill_filter(_type="pubsub")
        with pytest.raises(StatusUnknown):
            answer.result(10)
    start_engine()
    assert client.call(deposit(1)).reply == Done()


def test_an_unreadable_reply_harms_nobody_else(
    client: EngineClient, start_engine: StartEngine, engine_redis: "redis.Redis"
) -> None:
    """As an engine of another version might send it."""
    start_engine()
    client.call(DefineAsset("USD", 2))
    engine_redis.publish(REPLY_CHANNEL + client._name, b'[1,2,[[3,["news",4]]]]')
    assert client.call(deposit(1)).reply == Done()


def test_the_time_is_the_engines(client: EngineClient, start_engine: StartEngine) -> None:
    start_engine()
    ENGINE_TIME.heard(ENGINE_TIME.now_ms() - 3_600_000)  # as where this machine's clock was wrong
    client.call(GetBalances(1))
    assert abs(ENGINE_TIME.now_ms() - SteadyClock().now_ms()) < 60_000
