"""A standby takes over: kill -9 of the leader -> the first order acknowledged by its successor.

Two engine processes on a Valkey of their own (AOF, fsync always), and this process, which trades
before each kill, so that there is something to follow, and sends one order right after it. The
journal is replayed afterwards and must hold each acknowledged order once.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any

import msgspec
import redis

from bench.core import random_order, setup_commands
from bench.servers import ROOT, addresses, scratch_servers
from engine.client import EngineClient
from engine.connections import connect
from engine.core.commands import PlaceOrder
from engine.journal import read_all_after, tail_sequence
from engine.pipeline import Pipeline
from engine.presence import read_presence
from engine.worker.recovery import Replica

KILLS = 10
ORDERS_BETWEEN = 5_000
PATIENCE_S = 60.0


class Engines:
    """Two at any time: one leads, the other one stands by."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._connection = connect(addresses(environment).engine_redis_url)
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        environment = {**self._environment, "EXCHANGE_COMPILED_CORE": "1"}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_engine", "--standby"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stderr=subprocess.DEVNULL,
        )
        self._running[process.pid] = process

    def wait_for_both(self) -> None:
        """Until one leads and the other one has followed to the end."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._both():
            assert time.monotonic() < deadline, "no standby: see `manage.py run_engine --standby`"
            time.sleep(0.02)

    def _both(self) -> bool:
        presence, tail = read_presence(self._connection), tail_sequence(self._connection)
        return presence.leads and any(s.sequence == tail for s in presence.standbys)

    def kill_leader(self) -> None:
        leader = read_presence(self._connection).leader
        assert leader is not None
        process = self._running.pop(leader.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
            process.wait()


def some_order(chance: random.Random) -> PlaceOrder:
    return random_order(chance, 5_000_000, ioc=False)


def check_journal(connection: "redis.Redis", acknowledged: list[str]) -> None:
    replica = Replica()
    placed: Counter[str | None] = Counter()
    for entry in read_all_after(connection, 0):
        replica.apply(entry)
        placed.update(c.key for c in entry.decode_commands() if isinstance(c, PlaceOrder))
    assert all(placed[key] == 1 for key in acknowledged)


def take_over_times(environment: dict[str, str]) -> Iterator[float]:
    """Seconds, of each kill."""
    chance = random.Random(1)
    url = addresses(environment).engine_redis_url
    client = EngineClient(url)
    engines = Engines(environment)
    acknowledged = []
    try:
        engines.start()
        engines.start()
        client.call_all(setup_commands(), timeout=PATIENCE_S)
        for kill in range(KILLS):
            pipeline = Pipeline(client, timeout=PATIENCE_S)
            pipeline.send(
                [random_order(chance, 5_000_000, ioc=False) for _ in range(ORDERS_BETWEEN)]
            )
            pipeline.drain()
            engines.wait_for_both()
            key = f"after-kill-{kill}"
            order = msgspec.structs.replace(some_order(chance), key=key)
            started = time.perf_counter()
            engines.kill_leader()
            client.call(order, timeout=PATIENCE_S)
            yield time.perf_counter() - started
            acknowledged.append(key)
            engines.start()
        check_journal(connect(url), acknowledged)
    finally:
        engines.stop()
        client.close()


def run() -> Iterator[dict[str, Any]]:
    with scratch_servers() as environment:
        times = list(take_over_times(environment))
    yield {
        "bench": "takeover",
        "value": round(median(times), 3),
        "unit": "s",
        "what": "median from kill -9 of the leader to the first acknowledged order",
        "max": round(max(times), 3),
        "kills": len(times),
    }
