"""Counters of fixed windows in the shared Redis."""

import time
from dataclasses import dataclass
from typing import Any, Final

from django.core.cache import cache

from accounts.counting import Count, counting, run_count

_ADD: Final = """
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if count == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return count
"""


@dataclass(frozen=True)
class Window:
    """At most `limit` in each `seconds`."""

    limit: int
    seconds: int

    def key(self, name: str) -> str:
        return f"throttle:{name}:{int(time.time()) // self.seconds}"

    def remaining_s(self) -> float:
        return self.seconds - time.time() % self.seconds


def count(name: str, window: Window, by: int = 1) -> int:
    """The count after adding `by`; 0 where Redis does not answer."""
    return run_count(_addition(name, window, by))


async def acount(name: str, window: Window) -> int:
    """`count` one more, for coroutines."""
    return await counting().run(_addition(name, window, 1))


def _addition(name: str, window: Window, by: int) -> Count[int]:
    # Among the keys of the cache, so that clearing it forgets the counts.
    key = cache.make_key(window.key(name))
    return Count(_ADD, (key,), (by, window.seconds + 1), _counted)


def _counted(answer: Any) -> int:
    return 0 if answer is None else int(answer)
