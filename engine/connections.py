"""Connections to the engine's Redis.

They are made with retries off: redis-py would otherwise repeat, up to ten times, a command whose
reply was lost, and so place one order several times.
"""

from typing import Any

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, *, timeout_s: float | None = 5.0) -> "redis.Redis":
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **_timeouts(timeout_s))


def connect_async(
    url: str, *, timeout_s: float | None = 5.0, **options: Any
) -> "redis.asyncio.Redis":
    retry = redis.asyncio.retry.Retry(NoBackoff(), 0)
    return redis.asyncio.Redis.from_url(url, retry=retry, **_timeouts(timeout_s), **options)


def _timeouts(seconds: float | None) -> dict[str, Any]:
    """`None` waits for ever, as a subscription does; it is asked now and then if it still lives."""
    timeouts: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": 5.0}
    if seconds is None:
        timeouts["health_check_interval"] = 15
    return timeouts
