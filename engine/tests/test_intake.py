"""High-water marks: who pushes is told to wait before anything breaks, and nothing is lost."""

import re
import signal
from collections.abc import Iterator

import pytest
import redis

from engine.client import EngineClient, EngineOverloaded
from engine.core.commands import CancelOrder, Command, DefineAsset, Deposit
from engine.core.queries import GetBalances, Query
from engine.core.replies import BalancesReply, Done, Refused
from engine.intake import FULL_KEY, MAX_ENTRIES, Room, why_full
from engine.journal import read_all_after, tail_sequence
from engine.tests.processes import RunEngine
from engine.wire import LEASE_KEY, QUEUE_KEY
from engine.worker.recovery import Replica
from exchange_site import health
from exchange_site.health import PartDown, probe_engine
from exchange_site.servers.addresses import ServerAddresses
from exchange_site.tests.processes import wait_until


@pytest.fixture
def client(servers: ServerAddresses, engine_redis: "redis.Redis") -> Iterator[EngineClient]:
    client = EngineClient(servers.engine_redis_url)
    yield client
    client.close()


@pytest.fixture
def memory(engine_redis: "redis.Redis") -> Iterator["Memory"]:
    memory = Memory(engine_redis)
    yield memory
    memory.restore()


class Memory:
    """The server's `maxmemory`, as the test sets it."""

    def __init__(self, connection: "redis.Redis") -> None:
        self._connection = connection
        self._limit = connection.config_get("maxmemory")["maxmemory"] or "0"

    def limit(self, limit: int | str) -> None:
        self._connection.config_set("maxmemory", limit)

    def limit_to(self, share: float) -> None:
        """So that what is used now is this share of it; enough for connections to weigh little."""
        self._connection.setrange("ballast", 32 * 1024 * 1024, b"x")
        self.limit(int(self._connection.info("memory")["used_memory"] / share))

    def restore(self) -> None:
        self._connection.config_set("maxmemory", self._limit)


def deposit(number: int) -> Deposit:
    return Deposit(1, "USD", 1, f"d{number}")


@pytest.mark.parametrize(
    ("room", "was_full", "full"),
    [
        (Room(899, 1_000, 5), False, False),
        (Room(901, 1_000, 5), False, True),
        (Room(851, 1_000, 5), True, True),
        (Room(849, 1_000, 5), True, False),
        (Room(10**12, 0, 5), False, False),  # without a limit
        (Room(10**12, 0, MAX_ENTRIES), False, True),
        (Room(1, 1_000, MAX_ENTRIES * 89 // 100), False, False),
    ],
)
def test_marks(room: Room, was_full: bool, full: bool) -> None:
    assert (why_full(room, was_full=was_full) is not None) == full


@pytest.mark.parametrize(
    ("messages", "taken"),
    [
        ([Deposit(1, "USD", 1, "a")], False),
        ([CancelOrder(1, "BTCUSD", 1)], True),
        ([GetBalances(1)], True),
        ([CancelOrder(1, "BTCUSD", 1), GetBalances(1)], True),
        ([CancelOrder(1, "BTCUSD", 1), Deposit(1, "USD", 1, "a")], False),
    ],
)
def test_a_full_journal_still_takes_cancels_and_queries(
    client: EngineClient,
    engine_redis: "redis.Redis",
    messages: list[Command | Query],
    taken: bool,
) -> None:
    engine_redis.set(FULL_KEY, "because")
    if taken:
        client.send_all(messages)
        assert engine_redis.llen(QUEUE_KEY) == len(messages)
    else:
        with pytest.raises(EngineOverloaded, match="journal is full"):
            client.send_all(messages)
        assert engine_redis.llen(QUEUE_KEY) == 0
        assert client._pending == {}


def test_what_waits_is_not_written_to_disk(
    client: EngineClient, engine_redis: "redis.Redis"
) -> None:
    """An order waits for the disk once: when it is journalled."""
    before = engine_redis.info("persistence")["aof_current_size"]
    client.send_all([deposit(n) for n in range(50)])
    assert engine_redis.llen(QUEUE_KEY) == 50
    assert engine_redis.info("persistence")["aof_current_size"] == before > 0


def test_the_engine_holds_clients_back_in_time(
    client: EngineClient, run_engine: RunEngine, engine_redis: "redis.Redis", memory: Memory
) -> None:
    """Above nine tenths of the memory nothing new comes in, and below the engine takes it again."""
    run_engine()
    client.call(DefineAsset("USD", 2), timeout=30)
    memory.limit_to(0.95)
    wait_until(lambda: engine_redis.exists(FULL_KEY), "the engine says that it is full")
    with pytest.raises(EngineOverloaded):
        client.call(deposit(1))
    assert isinstance(client.call(CancelOrder(1, "BTCUSD", 1)).reply, Refused), "it answers"
    with pytest.raises(PartDown, match="takes no more orders"):
        probe_engine()
    memory.limit_to(0.5)
    wait_until(lambda: not engine_redis.exists(FULL_KEY), "the engine says that there is room")
    assert client.call(deposit(1)).reply == Done()
    assert probe_engine()["memory_limit"] > 0


def test_an_engine_that_starts_judges_anew(
    client: EngineClient, run_engine: RunEngine, engine_redis: "redis.Redis"
) -> None:
    engine_redis.set(FULL_KEY, "said one that died since")
    run_engine()
    wait_until(lambda: not engine_redis.exists(FULL_KEY), "there is room")
    assert client.call(DefineAsset("USD", 2), timeout=30).reply == Done()


def test_a_full_redis_loses_nothing(
    client: EngineClient,
    run_engine: RunEngine,
    engine_redis: "redis.Redis",
    memory: Memory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A megabyte, which is less than what is used: every commit fails whole, and says why."""
    engine = run_engine()
    client.call(DefineAsset("USD", 2), timeout=30)
    assert client.call(deposit(0)).reply == Done()
    engine.send_signal(signal.SIGSTOP)
    waiting = client.send_all([deposit(n) for n in range(1, 501)])
    tail = tail_sequence(engine_redis)
    memory.limit("1mb")
    engine.send_signal(signal.SIGCONT)
    assert engine.wait(30) == 1
    assert engine.stderr is not None
    complaint = engine.stderr.read()
    assert re.search("its Redis is full.*maxmemory", complaint)
    assert "Traceback" not in complaint
    assert (tail_sequence(engine_redis), engine_redis.llen(QUEUE_KEY)) == (tail, 500)
    with pytest.raises(EngineOverloaded, match="Redis is full"):
        client.call(deposit(501))
    with pytest.raises(PartDown, match="its Redis is full"):
        probe_engine()
    again = run_engine()
    assert again.wait(30) == 1, "it does not start either, as long as nothing can be written"
    memory.restore()
    engine_redis.delete(LEASE_KEY)
    run_engine()
    assert [future.result(30).reply for future in waiting] == [Done()] * 500
    monkeypatch.setattr(health, "LIFETIME_S", -1.0)
    assert probe_engine()["queue"] == 0
    assert client.call(GetBalances(1)).reply == BalancesReply((("USD", 501, 0),))
    Replica().follow(read_all_after(engine_redis, 0))
