"""Counts requests and orders in the shared Redis: each with one script, hence one round trip.

Threads ask by `run_count`, coroutines by `counting()`. Where that Redis does not answer, nothing is
counted and all pass: trading does not stop with it.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import redis
from django.conf import settings

from engine.connections import connect, connect_async

MAX_TOGETHER: Final = 500

PATIENCE_S: Final = 1.0
"""With a Redis that hangs. A count is worth less than the order that waits for it."""

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


def run_count(count: Count[_T]) -> _T:
    """What `count` reads from the answer."""
    try:
        answer = _connection().execute_command(*count.command())
    except redis.RedisError:
        _warn_uncounted()
        answer = None
    return count.read(answer)


def _warn_uncounted() -> None:
    _log.warning("the shared Redis does not answer: nothing is counted")


@lru_cache(maxsize=1)
def _connection() -> "redis.Redis":
    return connect(settings.REDIS_URL)


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
        self._waiting: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    async def run(self, count: Count[_T]) -> _T:
        """What `count` reads from the answer. Who asks bounds how many wait."""
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
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for each in asked:
                    pipeline.execute_command(*each.command)
                answers: list[Any] = await pipeline.execute()
                return answers
        except (redis.RedisError, OSError):
            _warn_uncounted()
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
