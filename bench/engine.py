"""The engine: commands waiting in the queue -> matched, journalled with fsync, answered.

The engine process and a Valkey of its own (AOF, fsync always) on one side, this process on the
other: it fills the queue while the engine is stopped, lets it go, and takes the time until it
holds the last reply. Afterwards the journal is replayed and must agree. What each step takes the
worker is measured in runs of their own: see `bench/steps.py`.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import redis

from bench.core import random_order, setup_commands
from bench.servers import addresses, call, running, scratch_servers
from engine.compiled import build_folder
from engine.connections import connect
from engine.intake import push_command
from engine.journal import read_all_after
from engine.wire import REPLY_CHANNEL, decode_replies, encode_envelope
from engine.worker.recovery import Replica

ORDERS = 100_000
REPEATS = 5
STEP_REPEATS = 3
NAME = "bench"


class Replies:
    """Everything the engine answers to this process, unread until the time is taken."""

    def __init__(self, connection: "redis.Redis") -> None:
        self._messages = connection.pubsub()
        self._messages.subscribe(REPLY_CHANNEL + NAME)
        self._messages.get_message(timeout=5)  # that the subscription stands
        self._raw: list[bytes] = []

    def wait_for(self, request_id: int) -> None:
        last = b"[%d,[" % request_id
        while not (self._raw and last in self._raw[-1]):
            message = self._messages.get_message(timeout=30)
            assert message is not None, "the engine does not answer: see `manage.py run_engine`"
            self._raw.append(message["data"])

    def take(self) -> list[Any]:
        replies = [reply for raw in self._raw for _, reply in decode_replies(raw).replies]
        self._raw.clear()
        return replies


def measure(connection: "redis.Redis", engine: int, seed: int) -> float:
    chance = random.Random(seed)
    orders = [random_order(chance, 5_000_000, ioc=chance.random() < 0.15) for _ in range(ORDERS)]
    replies = Replies(connection)
    os.kill(engine, signal.SIGSTOP)
    for start in range(0, ORDERS, 1_000):
        chunk = orders[start : start + 1_000]
        envelopes = (encode_envelope(NAME, start + n + 1, o) for n, o in enumerate(chunk))
        connection.execute_command(*push_command(chunk, envelopes))
    started = time.perf_counter()
    os.kill(engine, signal.SIGCONT)
    replies.wait_for(ORDERS)
    seconds = time.perf_counter() - started
    answered = len(replies.take())
    assert answered == ORDERS, f"{answered} of {ORDERS} orders were answered"
    return ORDERS / seconds


def one_run(seed: int) -> tuple[float, int]:
    """Orders a second, and the bytes of the journal, on a fresh exchange."""
    with scratch_servers() as environment:
        engine = [sys.executable, "manage.py", "run_engine"]
        with running(engine, environment | {"EXCHANGE_COMPILED_CORE": "1"}) as process:
            connection = connect(addresses(environment).engine_redis_url, timeout_s=30)
            replies = Replies(connection)
            setup = setup_commands()
            for number, command in enumerate(setup, start=1):
                envelope = encode_envelope(NAME, number, command)
                connection.execute_command(*push_command([command], [envelope]))
            replies.wait_for(len(setup))
            rate = measure(connection, process, seed)
            replica = Replica()
            size = 0
            for entry in read_all_after(connection, 0):
                replica.apply(entry)
                size += len(entry.commands) + len(entry.events)
            return rate, size


def steps() -> dict[str, Any]:
    """One run of `bench/steps.py`, on servers of its own."""
    with scratch_servers() as environment:
        url = addresses(environment).engine_redis_url
        answer = call(["-m", "bench.steps", url], environment | {"EXCHANGE_COMPILED_CORE": "1"})
    found: dict[str, Any] = json.loads(answer)
    return found


def run() -> Iterator[dict[str, Any]]:
    runs = []
    for seed in range(REPEATS):
        runs.append(one_run(seed))
        print(f"engine: run {seed + 1} of {REPEATS}: {runs[-1][0]:,.0f} orders/s", file=sys.stderr)
    rates = [rate for rate, _ in runs]
    yield {
        "bench": "engine",
        "value": round(median(rates)),
        "unit": "orders/s",
        "repeats": REPEATS,
        "lowest": round(min(rates)),
        "highest": round(max(rates)),
        "compiled_core": build_folder().exists(),
        "journal_bytes_per_order": round(median(size for _, size in runs) / ORDERS),
    }
    broken_down = []
    for number in range(STEP_REPEATS):
        broken_down.append(steps())
        print(f"engine: steps, run {number + 1} of {STEP_REPEATS}", file=sys.stderr)
    by_step = {
        step: round(median(each["worker_us"][step] for each in broken_down), 2)
        for step in broken_down[0]["worker_us"]
    }
    yield {
        "bench": "engine",
        "value": round(sum(by_step.values()), 2),
        "unit": "us",
        "what": "of the processor that an order takes the worker",
        "worker_us": by_step,
        "waiting_for_redis_us": median(each["waiting_us"] for each in broken_down),
        "repeats": STEP_REPEATS,
        "compiled_core": build_folder().exists(),
    }
