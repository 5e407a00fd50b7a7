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
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, cast

import redis

from bench.core import random_order, resident_bytes, setup_commands
from engine.connections import connect
from engine.core.commands import Command
from engine.intake import push_command
from engine.wire import decode_address, decode_message, encode_envelope, open_envelope
from engine.worker.batch import Batch
from engine.worker.clock import SteadyClock
from engine.worker.ports import Store
from engine.worker.recovery import Replica
from engine.worker.redis_store import RedisStore
from engine.worker.worker import MAX_BATCH, Worker

ORDERS: Final = 100_000
PUSHED_AT_ONCE: Final = 1_000

FREEING: Final = "free, and the rest"
REDIS: Final = "Redis"


class Spent(NamedTuple):
    """Nanoseconds by step."""

    used: Counter[str]
    """Of the processor."""
    waited: Counter[str]


OF_A_BATCH: Final = {
    "apply_all": "match",
    "entry": "encode the entry",
    "replies": "encode the replies",
}
OF_THE_STORE: Final = {"": REDIS}
"""Which method is which step."""


class Steps(NamedTuple):
    rate: float
    """Messages a second of the wall."""
    worker_us: dict[str, float]
    """A message, of the processor."""
    waiting_us: float
    """A message, for Redis, on top."""
    memory_mb: int
    """That the process holds at the end."""


class Clocked:
    """Something else, with clocks around the calls of its methods: which step each belongs to is
    said by name, else by the empty name. It stands for what may be compiled, so it does not
    inherit."""

    def __init__(self, watched: object, steps: Mapping[str, str], spent: Spent) -> None:
        self._watched = watched
        self._steps = steps
        self._spent = spent

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._watched, name)
        if not callable(attribute):
            return attribute
        step = self._steps.get(name) or self._steps[""]
        return partial(self._timed, step, attribute)

    def _timed(self, step: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        wall, began = time.perf_counter_ns(), time.thread_time_ns()
        result = call(*arguments, **named)
        used = time.thread_time_ns() - began
        self._spent.used[step] += used
        self._spent.waited[step] += time.perf_counter_ns() - wall - used
        return result


class TimedWorker(Worker):
    """Reading a message is timed by doing it once more: a batch does it between the matching."""

    def __init__(self, store: Store, replica: Replica, spent: Spent) -> None:
        super().__init__(store, SteadyClock(), lambda: replica)
        self._spent = spent

    def step(self, messages: list[bytes]) -> list[bytes]:
        began = time.thread_time_ns()
        for message in messages:
            address, text = open_envelope(message)
            decode_address(address)
            decode_message(text)
        self._spent.used["decode"] += time.thread_time_ns() - began
        return super().step(messages)

    def _begin_batch(self) -> Batch:
        return cast(Batch, Clocked(super()._begin_batch(), OF_A_BATCH, self._spent))


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
        envelopes = (encode_envelope("bench", n, c) for n, c in enumerate(chunk))
        client.execute_command(*push_command(chunk, envelopes))
    spent = Spent(Counter(), Counter())
    store = cast(Store, Clocked(RedisStore(client), OF_THE_STORE, spent))
    worker = TimedWorker(store, replica, spent)
    assert worker.lead()
    worker.recover()
    gc.collect()
    gc.disable()  # as in the engine process
    waiting = store.peek(MAX_BATCH)
    spent.used.clear()
    spent.waited.clear()
    started, began = time.perf_counter(), time.thread_time_ns()
    while waiting:
        waiting = worker.step(waiting)
    used, seconds = time.thread_time_ns() - began, time.perf_counter() - started
    gc.enable()
    return _steps(spent, used, seconds, len(commands))


def _steps(spent: Spent, used_ns: int, seconds: float, messages: int) -> Steps:
    used, twice = spent.used, spent.used["decode"]
    used["match"] -= twice
    used[FREEING] = used_ns - twice - used.total()
    return Steps(
        rate=messages / (seconds - twice / 1e9),
        worker_us={step: round(ns / 1_000 / messages, 2) for step, ns in used.items()},
        waiting_us=round(spent.waited[REDIS] / 1_000 / messages, 2),
        memory_mb=resident_bytes() // 2**20,
    )


def steps_of_orders(url: str, seed: int) -> Steps:
    """Of the orders that `BENCH=engine` sends."""
    chance = random.Random(seed)
    orders = [random_order(chance, 5_000_000, ioc=chance.random() < 0.15) for _ in range(ORDERS)]
    return measure(connect(url), prepared(setup_commands()), orders)


if __name__ == "__main__":
    print(json.dumps(steps_of_orders(sys.argv[1], seed=0)._asdict()))
