"""Send commands to the engine from coroutines, and await their results.

Like `client.py`, which serves threads: here the one who reads the replies lives in the event loop
itself, so that no answer has to change threads on its way. One client an event loop.
"""

import asyncio
import itertools
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec
from django.conf import settings

from engine.connections import connect_async
from engine.core.commands import Command
from engine.core.queries import Query
from engine.engine_time import ENGINE_TIME
from engine.handover import MAX_LIST, Handover, Parcel
from engine.outcomes import (
    Answer,
    EngineOverloaded,
    EngineUnavailable,
    StatusUnknown,
    check_size,
    for_message,
)
from engine.wire import REPLY_CHANNEL, decode_replies, encode_envelope

MAX_PENDING: Final = 10_000
"""Requests of one event loop that may wait at a time."""

_SUBSCRIBE_TIMEOUT_S: Final = 2.0
_RECONNECT_PAUSE_S: Final = 0.1

Result = asyncio.Future[Answer | Exception]
"""The answer, or the EngineUnavailable or StatusUnknown that stands for it; it never raises."""

_log = logging.getLogger(__name__)


class LoopClient:
    """To be made and used in one event loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._name = secrets.token_hex(8)
        self._request_ids = itertools.count(1)
        self._pending: dict[int, Result] = {}
        self._handover = Handover(url)
        self._subscribed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def ready(self) -> None:
        """To be awaited before `post`. Raises EngineUnavailable."""
        if self._subscribed.is_set():
            return
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_for_ever())
        try:
            await asyncio.wait_for(self._subscribed.wait(), _SUBSCRIBE_TIMEOUT_S)
        except TimeoutError:
            raise EngineUnavailable("the engine's Redis does not answer") from None

    def post(self, messages: Sequence[Command | Query]) -> list[Result]:
        """Hand over up to MAX_LIST messages, without waiting for anything.

        They follow on what was posted before, and no one else's stand between them. A result each,
        which `settle` awaits. Raises EngineUnavailable for the whole list.
        """
        assert 0 < len(messages) <= MAX_LIST
        if len(self._pending) + len(messages) > MAX_PENDING:
            raise EngineOverloaded("too many requests of this process are waiting")
        loop = asyncio.get_running_loop()
        request_ids = [next(self._request_ids) for _ in messages]
        envelopes = [
            encode_envelope(self._name, number, message)
            for number, message in zip(request_ids, messages, strict=True)
        ]
        check_size(*envelopes)
        results: list[Result] = [loop.create_future() for _ in messages]
        for number, result in zip(request_ids, results, strict=True):
            self._pending[number] = result
            result.add_done_callback(partial(self._forget, number))
        self._handover.push(Parcel(messages, envelopes, partial(self._fail, request_ids)))
        return results

    async def close(self) -> None:
        """Stop listening; what still waits is told that its status is unknown."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        self._fail(list(self._pending), StatusUnknown("the client was closed"))

    def _forget(self, request_id: int, _result: Result) -> None:
        self._pending.pop(request_id, None)

    def _fail(self, request_ids: list[int], error: Exception) -> None:
        for request_id in request_ids:
            self._settle(request_id, error)

    def _settle(self, request_id: int, outcome: Answer | Exception) -> None:
        result = self._pending.pop(request_id, None)
        if result is not None and not result.done():
            result.set_result(outcome)

    async def _read_for_ever(self) -> None:
        try:
            while True:
                try:
                    await self._read()
                except Exception as error:  # this task must not die while anybody may ask
                    _log.warning("lost the engine's replies: %s", error)
                self._subscribed.clear()
                # Replies that were published while nobody listened are lost.
                self._fail(list(self._pending), StatusUnknown("the connection for replies broke"))
                await asyncio.sleep(_RECONNECT_PAUSE_S)
        finally:
            self._subscribed.clear()

    async def _read(self) -> None:
        """Hand out replies until the connection breaks."""
        client: Any = connect_async(self._url, timeout_s=None)
        async with client, client.pubsub() as subscription:
            await subscription.subscribe(REPLY_CHANNEL + self._name)
            while True:
                message = await subscription.get_message(timeout=None)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self._subscribed.set()
                elif message["type"] == "message":
                    self._hand_out(message["data"])

    def _hand_out(self, data: bytes) -> None:
        try:
            decoded = decode_replies(data)
        except msgspec.MsgspecError:  # an engine of another version; its callers hear nothing
            _log.exception("the engine's reply cannot be read")
            return
        ENGINE_TIME.heard(decoded.time)
        for request_id, reply in decoded.replies:
            self._settle(request_id, Answer(decoded.sequence, reply))


async def settle(result: Result, message: Command | Query, *, timeout: float) -> Answer:
    """The answer to a posted message. Raises EngineUnavailable or StatusUnknown."""
    (outcome,) = await settle_all([result], [message], timeout=timeout)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def settle_all(
    results: Sequence[Result], messages: Sequence[Command | Query], *, timeout: float
) -> list[Answer | Exception]:
    """Of several posted messages the answer each, or its EngineUnavailable or StatusUnknown."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            for result in results:
                await result
    pairs = zip(results, messages, strict=True)
    return [_outcome(result, message) for result, message in pairs]


def _outcome(result: Result, message: Command | Query) -> Answer | Exception:
    if not result.done() or result.cancelled():
        result.cancel()
        return for_message(StatusUnknown("no answer in time"), message)
    outcome = result.result()
    return for_message(outcome, message) if isinstance(outcome, StatusUnknown) else outcome


def loop_client() -> LoopClient:
    """The client of the running event loop, made at its first use."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        client = _clients[loop] = LoopClient(settings.ENGINE_REDIS_URL)
    return client


_clients: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, LoopClient]] = WeakKeyDictionary()
