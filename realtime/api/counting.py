"""Counts requests and orders in the shared Redis, without a thread.

What comes while Redis is being asked waits, and is asked for together next: under load many counts
share one round trip, and a lone one does not wait at all. One an event loop.
"""

import asyncio
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import redis
from django.conf import settings

from engine.connections import connect_async
from markets.binance.limits import Count, warn_uncounted

MAX_TOGETHER: Final = 500

_T = TypeVar("_T")


class _Asked(NamedTuple):
    command: tuple[str | int, ...]
    answer: "asyncio.Future[Any]"


class Counting:
    def __init__(self, url: str) -> None:
        self._client: Any = connect_async(url)
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
        except redis.RedisError:
            warn_uncounted()
            return [None] * len(asked)


def counting() -> Counting:
    """That of the running event loop, made at its first use."""
    loop = asyncio.get_running_loop()
    found = _countings.get(loop)
    if found is None:
        found = _countings[loop] = Counting(settings.REDIS_URL)
    return found


_countings: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Counting]] = WeakKeyDictionary()
