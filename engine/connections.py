"""Connections to the engine's Redis.

They are made with retries off: redis-py would otherwise repeat, up to ten times, a command whose
reply was lost, and so place one order several times.
"""

import asyncio
from typing import Any, Final

import redis
import redis.asyncio
from hiredis import pack_command
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_S: Final = 5.0


def connect(url: str, *, timeout_s: float | None = 5.0, **options: Any) -> "redis.Redis":
    """`None` waits for ever, as a subscription does; it is asked now and then if it still lives.
    A connection is waited for as long as an answer is, but for CONNECT_S at most."""
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


class PlainRedis(redis.asyncio.Redis):
    """One connection for one command at a time, of somebody who gives hundreds in a second.

    A command of redis-py's own client takes a task, two timers and five layers of calls, which is
    more than most of them take here. Pipelines go the usual way.
    """

    patience_s = 5.0

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        """Raises redis.RedisError; the connection is closed then, unless it was an answer."""
        connection = self._line()
        try:
            async with asyncio.timeout(self.patience_s):
                if not connection.is_connected:
                    await connection.connect()
                packed = pack_command(arguments)
                await connection.send_packed_command(packed, check_health=False)
                answer = await connection.read_response()
        except TimeoutError as error:
            raise redis.TimeoutError(f"{arguments[0]} is not answered") from error
        options.pop("keys", None)
        callback = self.response_callbacks.get(arguments[0])
        return answer if callback is None else callback(answer, **options)

    def _line(self) -> Any:
        if not hasattr(self, "_plain"):
            pool = self.connection_pool
            self._plain: Any = pool.connection_class(
                **pool.connection_kwargs | {"socket_timeout": None}
            )
        return self._plain

    async def aclose(self, *arguments: Any, **options: Any) -> None:
        await self._line().disconnect()
        await super().aclose(*arguments, **options)


def connect_plain(url: str) -> PlainRedis:
    retry = redis.asyncio.retry.Retry(NoBackoff(), 0)
    plain = PlainRedis.from_url(url, retry=retry, **_timeouts(PlainRedis.patience_s))
    assert isinstance(plain, PlainRedis)
    return plain


def _timeouts(seconds: float | None) -> dict[str, Any]:
    connect_s = CONNECT_S if seconds is None else min(seconds, CONNECT_S)
    return {"socket_timeout": seconds, "socket_connect_timeout": connect_s}
