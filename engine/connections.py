"""Connections to the engine's Redis.

They are made with retries off: redis-py would otherwise repeat, up to ten times, a command whose
reply was lost, and so place one order several times.
"""

from typing import Any

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, *, timeout_s: float | None = 5.0, **options: Any) -> "redis.Redis":
    """`None` waits for ever, as a subscription does; it is asked now and then if it still lives."""
    alive: dict[str, Any] = {"health_check_interval": 15} if timeout_s is None else {}
    retry = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(url, retry=retry, **_timeouts(timeout_s), **alive, **options)


def connect_async(
    url: str, *, timeout_s: float | None = 5.0, **options: Any
) -> "redis.asyncio.Redis":
    """Without health checks: they read the answer to a PING of their own, which whoever reads a
    subscription in a task of its own would be at odds with."""
    retry = redis.asyncio.retry.Retry(NoBackoff(), 0)
    return redis.asyncio.Redis.from_url(url, retry=retry, **_timeouts(timeout_s), **options)


def _timeouts(seconds: float | None) -> dict[str, Any]:
    return {"socket_timeout": seconds, "socket_connect_timeout": 5.0}
