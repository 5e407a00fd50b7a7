"""Counters of fixed windows in the shared cache.

Where that does not answer, nothing is counted and all pass: trading does not stop with the cache.
"""

import logging
import time
from dataclasses import dataclass

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


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
    """The count after adding `by`; 0 where the cache does not answer."""
    key = window.key(name)
    try:
        try:
            return cache.incr(key, by)
        except ValueError:
            cache.add(key, 0, timeout=window.seconds + 1)
            return cache.incr(key, by)
    except (RedisError, ValueError):
        logger.warning("the cache does not answer: requests are not counted")
        return 0
