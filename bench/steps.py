"""Where the worker's time goes: decode, match, encode and Redis, in microseconds a message.

It is the engine's own worker on a Redis of its own, with clocks around its steps, in this process.
They are read once a batch, so that they cost nothing that shows; the processor's time is taken,
which the machine's other users disturb little, and what remains of the wall's is waiting.
"""

import gc
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, cast

import redis

from bench.core import random_order, resident_bytes, setup_commands
from engine.connections import connect
from engine.core.commands import Command
from engine.dead_letters import Verdict
from engine.journal import EncodedEntry
from engine.wire import (
    QUEUE_KEY,
    decode_address,
    decode_message,
    encode_envelope,
    open_envelope,
)
from engine.worker.batch import Batch
from engine.worker.clock import SteadyClock
from engine.worker.recovery import Replica
from engine.worker.redis_store import RedisStore
from engine.worker.worker import MAX_BATCH, Worker

ORDERS: Final = 100_000
PUSHED_AT_ONCE: Final = 1_000

FREEING: Final = "free, and the rest"
WAITING: Final = "waiting for Redis"

Spent = Counter[str]
"""Nanoseconds, by step."""


class Steps(NamedTuple):
    rate: float
    """Messages a second of the wall."""
    worker_us: dict[str, float]
    """A message, of the processor."""
    waiting_us: float
    """A message, for Redis, on top."""
    memory_mb: int
    """That the process holds at the end."""


class TimedStore(RedisStore):
    def __init__(self, client: "redis.Redis", spent: Spent) -> None:
        super().__init__(client)
        self._spent = spent

    def begin_commit(
        self, entry: EncodedEntry | None, consumed: int, verdict: Verdict | None = None
    ) -> None:
        with self._timed():
            super().begin_commit(entry, consumed, verdict)

    def finish_commit(self) -> None:
        with self._timed():
            super().finish_commit()

    def begin_publish(self, replies: Mapping[str, bytes], limit: int, skip: int = 0) -> None:
        with self._timed():
            super().begin_publish(replies, limit, skip)

    def finish_publish(self) -> list[bytes]:
        with self._timed():
            return super().finish_publish()

    def peek(self, limit: int, skip: int = 0) -> list[bytes]:
        with self._timed():
            return super().peek(limit, skip)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        wall, began = time.perf_counter_ns(), time.thread_time_ns()
        yield
        used = time.thread_time_ns() - began
        self._spent["Redis"] += used
        self._spent[WAITING] += time.perf_counter_ns() - wall - used


class TimedBatch:
    """A compiled class has no interpreted children: this one stands before it."""

    def __init__(self, batch: Batch, spent: Spent) -> None:
        self._batch = batch
        self._spent = spent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def apply_all(
        self, messages: Sequence[bytes], condemned: Callable[[bytes], str | None] | None = None
    ) -> int:
        """Reading is timed by doing it once more: the batch does it between the matching."""
        began = time.thread_time_ns()
        for message in messages:
            address, text = open_envelope(message)
            decode_address(address)
            decode_message(text)
        decoded = time.thread_time_ns()
        applied = self._batch.apply_all(messages, condemned)
        done = time.thread_time_ns()
        self._spent["decode"] += decoded - began
        self._spent["match"] += done - decoded - (decoded - began)
        return applied

    def entry(self, epoch: int, digest: str) -> EncodedEntry | None:
        began = time.thread_time_ns()
        entry = self._batch.entry(epoch, digest)
        self._spent["encode the entry"] += time.thread_time_ns() - began
        return entry

    def replies(self) -> dict[str, bytes]:
        began = time.thread_time_ns()
        replies = self._batch.replies()
        self._spent["encode the replies"] += time.thread_time_ns() - began
        return replies


class TimedWorker(Worker):
    def __init__(self, store: TimedStore, replica: Replica, spent: Spent) -> None:
        super().__init__(store, SteadyClock(), lambda: replica)
        self._spent = spent

    def _begin_batch(self) -> Batch:
        return cast(Batch, TimedBatch(super()._begin_batch(), self._spent))


def prepared(commands: Iterable[Command]) -> Replica:
    """What a worker begins with who has carried these out; they are not journalled."""
    replica = Replica()
    replica.engine.advance(1)
    for command in commands:
        replica.engine.apply(command)
    return replica


def measure(client: "redis.Redis", replica: Replica, commands: Sequence[Command]) -> Steps:
    """The commands wait in the queue before the worker begins."""
    for start in range(0, len(commands), PUSHED_AT_ONCE):
        chunk = commands[start : start + PUSHED_AT_ONCE]
        client.rpush(QUEUE_KEY, *(encode_envelope("bench", n, c) for n, c in enumerate(chunk)))
    spent: Spent = Counter()
    store = TimedStore(client, spent)
    worker = TimedWorker(store, replica, spent)
    assert worker.lead()
    worker.recover()
    gc.collect()
    gc.disable()  # as in the engine process
    waiting = store.peek(MAX_BATCH)
    spent.clear()
    started, began = time.perf_counter(), time.thread_time_ns()
    while waiting:
        waiting = worker.step(waiting)
    used, seconds = time.thread_time_ns() - began, time.perf_counter() - started
    gc.enable()
    worker_us = {step: ns / 1_000 / len(commands) for step, ns in spent.items() if step != WAITING}
    twice_us = worker_us["decode"]
    worker_us[FREEING] = used / 1_000 / len(commands) - twice_us - sum(worker_us.values())
    return Steps(
        rate=len(commands) / (seconds - twice_us * len(commands) / 1e6),
        worker_us={step: round(us, 2) for step, us in worker_us.items()},
        waiting_us=round(spent[WAITING] / 1_000 / len(commands), 2),
        memory_mb=resident_bytes() // 2**20,
    )


def steps_of_orders(url: str, seed: int) -> Steps:
    """Of the orders that `BENCH=engine` sends."""
    chance = random.Random(seed)
    orders = [random_order(chance, 5_000_000, ioc=chance.random() < 0.15) for _ in range(ORDERS)]
    return measure(connect(url), prepared(setup_commands()), orders)


if __name__ == "__main__":
    print(json.dumps(steps_of_orders(sys.argv[1], seed=0)._asdict()))
