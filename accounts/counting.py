"""Counts requests and orders in the shared Redis: each with one script, hence one round trip.

Threads ask by `run_count`, coroutines by `counting()`. Where that Redis does not answer, nothing is
counted and all pass: trading does not stop with it, nor does anybody wait who comes later.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import redis
from django.conf import settings

from engine.connections import connect, connect_async

MAX_TOGETHER: Final = 500

PATIENCE_S: Final = 1.0
"""With a Redis that hangs, or cannot be reached. A count is worth less than the order that waits
for it."""

RETRY_EVERY_S: Final = 1.0
"""While it is away, how soon it is asked again."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Count(NamedTuple, Generic[_T]):
    """Something to count: the script to run, and what its answer means.

    `read` may raise; None stands for no answer, and then nothing was counted.
    """

    script: str
    names: tuple[str, ...]
    arguments: tuple[int, ...]
    read: Callable[[Any], _T]

    def command(self) -> tuple[str | int, ...]:
        return "EVAL", self.script, len(self.names), *self.names, *self.arguments


class _SharedRedis:
    """Asked by threads; and, for all of the process, whether it is known to be away.

    While it is, nobody waits for it. One question at a time finds out whether it is back, on a
    thread of its own; it is somebody's coming that has it asked.
    """

    def __init__(self, url: str) -> None:
        self._client: Any = connect(url, timeout_s=PATIENCE_S)
        self._lock = threading.Lock()
        self._retry_at_s: float | None = None
        """In monotonic time; None of one that answers."""

    def ask(self, command: tuple[str | int, ...]) -> Any:
        """None where it does not answer."""
        if self.is_away():
            return None
        try:
            return self._client.execute_command(*command)
        except redis.RedisError as error:
            self.failed(error)
            return None

    def is_away(self) -> bool:
        if self._retry_at_s is None:
            return False
        with self._lock:
            if self._retry_at_s is not None and time.monotonic() >= self._retry_at_s:
                threading.Thread(target=self._ask_again, daemon=True).start()
                self._retry_at_s = math.inf  # until that thread knows
        return True

    def failed(self, error: Exception) -> None:
        """Note that a question was not answered; whoever answers with an error is not away."""
        _log.warning("nothing is counted: the shared Redis does not answer (%s)", error)
        if not isinstance(error, redis.ResponseError):
            with self._lock:
                if self._retry_at_s is None:  # else somebody finds out already
                    self._retry_at_s = time.monotonic() + RETRY_EVERY_S

    def _ask_again(self) -> None:
        retry_at_s: float | None = None
        try:
            self._client.ping()
        except Exception as error:
            _log.warning("still nothing is counted (%s)", error)
            retry_at_s = time.monotonic() + RETRY_EVERY_S
        with self._lock:
            self._retry_at_s = retry_at_s


@lru_cache(maxsize=1)
def _shared_redis(url: str) -> _SharedRedis:
    return _SharedRedis(url)


def run_count(count: Count[_T]) -> _T:
    """What `count` reads from the answer."""
    return count.read(_shared_redis(settings.REDIS_URL).ask(count.command()))


class _Asked(NamedTuple):
    command: tuple[str | int, ...]
    answer: "asyncio.Future[Any]"


class Counting:
    """For the coroutines of one event loop.

    What comes while Redis is being asked waits, and is asked for together next: under load many
    counts share one round trip, and a lone one does not wait at all.
    """

    def __init__(self, url: str) -> None:
        self._client: Any = connect_async(url, timeout_s=PATIENCE_S)
        self._redis = _shared_redis(url)
        self._waiting: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    async def run(self, count: Count[_T]) -> _T:
        """What `count` reads from the answer. Who asks bounds how many wait."""
        if self._redis.is_away():
            return count.read(None)
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(count.command(), answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return count.read(await answer)

    async def _ask(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
            for each, answer in zip(asked, await self._answers(asked), strict=True):
                if not each.answer.done():  # whoever asked may have gone
                    each.answer.set_result(answer)

    async def _answers(self, asked: list[_Asked]) -> list[Any]:
        """None each where Redis does not answer."""
        if self._redis.is_away():  # since they began to wait
            return [None] * len(asked)
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for each in asked:
                    pipeline.execute_command(*each.command)
                answers: list[Any] = await pipeline.execute()
                return answers
        except (redis.RedisError, OSError) as error:
            self._redis.failed(error)
        except Exception:
            _log.exception("requests were not counted")
        return [None] * len(asked)


def counting() -> Counting:
    """That of the running event loop, made at its first use."""
    loop = asyncio.get_running_loop()
    found = _countings.get(loop)
    if found is None:
        found = _countings[loop] = Counting(settings.REDIS_URL)
    return found


_countings: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Counting]] = WeakKeyDictionary()
