"""Two engine processes: the standby takes over, and the old leader can write nothing more."""

import signal
import subprocess
from collections.abc import Iterator

import pytest
import redis

from engine.client import EngineClient
from engine.core.commands import DefineAsset, Deposit
from engine.core.queries import GetBalances
from engine.core.replies import BalancesReply, Done
from engine.journal import read_all_after
from engine.presence import read_presence
from engine.tests.processes import RunEngine
from engine.wire import EPOCH_KEY
from engine.worker.recovery import Replica
from exchange_site.servers.addresses import ServerAddresses
from exchange_site.tests.processes import wait_until


@pytest.fixture
def client(servers: ServerAddresses, engine_redis: "redis.Redis") -> Iterator[EngineClient]:
    client = EngineClient(servers.engine_redis_url)
    yield client
    client.close()


def deposit(number: int) -> Deposit:
    return Deposit(1, "USD", 1, f"d{number}")


def leader_pid(connection: "redis.Redis") -> int:
    presence = read_presence(connection)
    return presence.leader.pid if presence.leads and presence.leader is not None else 0


def start_pair(
    run_engine: RunEngine, connection: "redis.Redis"
) -> tuple["subprocess.Popen[str]", "subprocess.Popen[str]"]:
    """A leader and a standby as processes."""
    leader = run_engine()
    wait_until(lambda: leader_pid(connection) == leader.pid, "the first leads")
    standby = run_engine("--standby")
    wait_until(lambda: read_presence(connection).standbys, "the second stands by")
    return leader, standby


def test_two_that_start_at_once(run_engine: RunEngine, engine_redis: "redis.Redis") -> None:
    pids = {run_engine("--standby").pid, run_engine("--standby").pid}
    wait_until(lambda: read_presence(engine_redis).standbys, "one leads, the other one stands by")
    presence = read_presence(engine_redis)
    assert presence.leader is not None
    assert {presence.leader.pid, presence.standbys[0].pid} == pids
    assert presence.leader.epoch == 1, "nobody led in between"


def test_a_killed_leader_is_succeeded(
    run_engine: RunEngine, engine_redis: "redis.Redis", client: EngineClient
) -> None:
    leader, standby = start_pair(run_engine, engine_redis)
    client.call(DefineAsset("USD", 2))
    client.call(deposit(1))
    leader.kill()
    assert client.call(deposit(2), timeout=30).reply == Done()
    assert leader_pid(engine_redis) == standby.pid
    assert client.call(GetBalances(1)).reply == BalancesReply((("USD", 2, 0),))
    standby.terminate()
    assert standby.wait(10) == 0


def test_a_stopped_leader_writes_nothing_when_it_goes_on(
    run_engine: RunEngine, engine_redis: "redis.Redis", client: EngineClient
) -> None:
    """Stopped under load, succeeded, then let go: it finds itself fenced, and ends."""
    old, _ = start_pair(run_engine, engine_redis)
    client.call(DefineAsset("USD", 2))
    sent = [client.send_all([deposit(n) for n in range(1_000)]) for _ in range(3)]
    old.send_signal(signal.SIGSTOP)
    assert client.call(deposit(1_000), timeout=30).reply == Done()
    assert [future.result(30).reply for futures in sent for future in futures] == [Done()] * 3_000
    taken_over = [entry for entry in read_all_after(engine_redis, 0) if entry.epoch == 2]
    assert taken_over, "the standby leads in the second epoch"
    old.send_signal(signal.SIGCONT)
    for number in range(1_001, 1_100):
        assert client.call(deposit(number)).reply == Done()
    process = run_engine.started[0]
    assert process.wait(10) == 1
    assert process.stderr is not None
    assert "FENCED" in process.stderr.read()
    epochs = [entry.epoch for entry in read_all_after(engine_redis, 0)]
    assert epochs == sorted(epochs), "none of its entries came after the successor's first"
    assert int(engine_redis.get(EPOCH_KEY) or 0) == 2
    replica = Replica()
    replica.follow(read_all_after(engine_redis, 0))
    assert client.call(GetBalances(1)).reply == BalancesReply((("USD", 1_100, 0),))
