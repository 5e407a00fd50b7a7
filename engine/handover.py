"""Hands messages over to the engine's queue for the coroutines of one event loop.

What comes while a push is under way waits and leaves with the next one, in the order in which it
came: under load many messages share one round trip, and a lone one does not wait at all.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Protocol

import redis

from engine.connections import connect_async
from engine.core.commands import Command
from engine.core.queries import Query
from engine.intake import push_command
from engine.outcomes import (
    EngineOverloaded,
    EngineUnavailable,
    StatusUnknown,
    check_accepted,
    refusal,
)

MAX_LIST: Final = 1_000
"""Messages in one push at most: Redis serves nobody else meanwhile."""

_log = logging.getLogger(__name__)


class Parcel(Protocol):
    """Messages that are handed over together or not at all."""

    messages: Sequence[Command | Query]
    envelopes: Sequence[bytes]
    has_left: bool
    """Whether it may have reached the engine: told here."""

    def is_settled(self) -> bool:
        """Whether nobody waits for it any more: then it is not handed over."""

    def fail(self, error: Exception) -> None:
        """Called with an EngineUnavailable or a StatusUnknown where it was not handed over."""


class Handover:
    """To be made and used in one event loop."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection: Any = connect_async(url).connection_pool.make_connection()
        self._waiting: deque[Parcel] = deque()
        self._pushing: asyncio.Task[None] | None = None

    def push(self, parcel: Parcel) -> None:
        """Returns at once; whoever counts the messages that are not settled bounds what waits."""
        while self._waiting and self._waiting[0].is_settled():
            self._waiting.popleft()
        self._waiting.append(parcel)
        if self._pushing is None or self._pushing.done():
            self._pushing = self._loop.create_task(self._push_waiting())

    async def close(self) -> None:
        await self._connection.disconnect()

    async def _push_waiting(self) -> None:
        while self._waiting:
            parcels = [self._waiting.popleft()]
            size = len(parcels[0].messages)
            while self._waiting and size + len(self._waiting[0].messages) <= MAX_LIST:
                size += len(self._waiting[0].messages)
                parcels.append(self._waiting.popleft())
            await self._push(parcels)

    async def _push(self, parcels: list[Parcel]) -> None:
        try:
            await self._push_together(parcels)
        except EngineOverloaded as error:
            if len(parcels) == 1:
                parcels[0].fail(error)
                return
            # Nothing was taken. Alone, some of them may be: cancels are, when the journal is full.
            for parcel in parcels:
                await self._push([parcel])
        except (EngineUnavailable, StatusUnknown) as error:
            for parcel in parcels:
                parcel.fail(error)
        except Exception:
            _log.exception("a command was not handed over as it should be")
            for parcel in parcels:
                parcel.fail(StatusUnknown("the command may have been handed over"))

    async def _push_together(self, parcels: list[Parcel]) -> None:
        connection = self._connection
        try:
            await self._ensure_connected()
        except (redis.RedisError, OSError) as error:
            raise EngineUnavailable("the engine's Redis does not answer") from error
        messages: list[Command | Query] = []
        envelopes: list[bytes] = []
        for parcel in parcels:
            if not parcel.is_settled():  # waiting for the connection may have taken too long
                parcel.has_left = True
                messages += parcel.messages
                envelopes += parcel.envelopes
        if not messages:
            return
        try:
            await connection.send_command(*push_command(messages, envelopes))
            accepted = await connection.read_response()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            await connection.disconnect()
            raise StatusUnknown("the connection broke while the command was handed over") from error
        except redis.ResponseError as error:
            raise refusal(error) from error
        check_accepted(accepted)

    async def _ensure_connected(self) -> None:
        """Of a connection that ended meanwhile one can read that it did: nothing is sent on it."""
        await self._connection.connect()
        if await self._connection.can_read():
            await self._connection.disconnect()
            await self._connection.connect()
