"""The engine process: how it starts, and how it stops."""

import signal

import pytest
import redis

from engine.tests.processes import RunEngine
from engine.wire import LEASE_KEY
from exchange_site.tests.processes import wait_until


def test_it_takes_the_lease_and_gives_it_back(
    run_engine: RunEngine, engine_redis: "redis.Redis"
) -> None:
    engine = run_engine()
    wait_until(lambda: engine_redis.exists(LEASE_KEY), "it leads")
    engine.send_signal(signal.SIGTERM)
    assert engine.wait(10) == 0
    assert not engine_redis.exists(LEASE_KEY)


@pytest.mark.parametrize("arguments", [(), ("--standby",)])
def test_a_second_one_waits_and_takes_over(
    run_engine: RunEngine, engine_redis: "redis.Redis", arguments: tuple[str, ...]
) -> None:
    first = run_engine()
    wait_until(lambda: engine_redis.exists(LEASE_KEY), "the first leads")
    holder = engine_redis.get(LEASE_KEY)
    second = run_engine(*arguments)
    first.kill()
    wait_until(lambda: engine_redis.get(LEASE_KEY) not in (None, holder), "the second leads")
    second.send_signal(signal.SIGTERM)
    assert second.wait(10) == 0


def test_it_stops_while_it_waits(run_engine: RunEngine, engine_redis: "redis.Redis") -> None:
    engine_redis.set(LEASE_KEY, "somebody", px=60_000)
    engine = run_engine()
    connections = len(engine_redis.client_list())
    wait_until(lambda: len(engine_redis.client_list()) > connections, "it is connected")
    engine.send_signal(signal.SIGTERM)
    assert engine.wait(30) == 0
    assert engine_redis.get(LEASE_KEY) == b"somebody"


def test_without_its_redis_it_says_so(run_engine: RunEngine) -> None:
    engine = run_engine(url="unix:///nowhere/engine.sock")
    _, complaint = engine.communicate(timeout=20)
    assert engine.returncode == 1
    assert "ENGINE_REDIS_URL" in complaint
    assert "Traceback" not in complaint


def test_it_does_not_start_without_postgresql(run_engine: RunEngine) -> None:
    engine = run_engine(database="postgresql:///none?host=/nowhere")
    _, complaint = engine.communicate(timeout=20)
    assert engine.returncode == 1
    assert "PostgreSQL is needed to start it, not to run it" in complaint
    assert "Traceback" not in complaint


def test_a_forgetful_redis_is_refused(run_engine: RunEngine, engine_redis: "redis.Redis") -> None:
    engine_redis.config_set("appendfsync", "everysec")
    try:
        _, complaint = run_engine().communicate(timeout=20)
    finally:
        engine_redis.config_set("appendfsync", "always")
    assert "appendfsync" in complaint
