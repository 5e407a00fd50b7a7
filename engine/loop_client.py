"""Send commands to the engine from coroutines, and await their results.

Like `client.py`, which serves threads: here the one who reads the replies lives in the event loop
itself, so that no answer has to change threads on its way. One client an event loop.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec
from django.conf import settings

from engine.connections import connect_async
from engine.core.acceptance import complete_reply
from engine.core.commands import Command
from engine.core.queries import Query
from engine.engine_time import ENGINE_TIME
from engine.handover import MAX_LIST, Handover
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

TIMEOUT_S: Final = 5.0

_SUBSCRIBE_TIMEOUT_S: Final = 2.0
_RECONNECT_PAUSE_S: Final = 0.1

Outcome = Answer | Exception
"""An exception is an EngineUnavailable or a StatusUnknown."""

_log = logging.getLogger(__name__)


class _Request:
    """Messages that were posted together, under consecutive ids, and what became of them."""

    __slots__ = (
        "_fail",
        "deadline",
        "done",
        "envelopes",
        "first",
        "has_left",
        "messages",
        "missing",
        "outcomes",
    )

    def __init__(
        self,
        first: int,
        messages: Sequence[Command | Query],
        envelopes: Sequence[bytes],
        deadline: float,
        done: "asyncio.Future[list[Outcome]]",
        fail: Callable[["_Request", Exception], None],
    ) -> None:
        self.first = first
        self.messages = messages
        self.envelopes = envelopes
        self.has_left = False
        self.deadline = deadline
        self.done = done
        self.outcomes: list[Outcome | None] = [None] * len(messages)
        self.missing = len(messages)
        self._fail = fail

    def is_settled(self) -> bool:
        return not self.missing

    def fail(self, error: Exception) -> None:
        self._fail(self, error)

    def settle(self, number: int, outcome: Outcome) -> None:
        """Of the message with that id."""
        place = number - self.first
        if isinstance(outcome, Answer):
            outcome = _completed(outcome, self.messages[place])
        elif isinstance(outcome, StatusUnknown):
            outcome = for_message(outcome, self.messages[place])
        self.outcomes[place] = outcome
        self.missing -= 1
        if not self.missing and not self.done.done():  # whoever awaited it may have gone
            self.done.set_result(self.outcomes)  # type: ignore[arg-type] # none is missing


def _completed(answer: Answer, message: Command | Query) -> Outcome:
    try:
        return Answer(answer.sequence, complete_reply(answer.reply, message))
    except Exception:  # an engine of another version; whoever asked must not wait for ever
        _log.exception("the engine's reply is none to its message")
        return for_message(StatusUnknown("the engine's reply cannot be read"), message)


class LoopClient:
    """To be made and used in one event loop."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._name = secrets.token_hex(8)
        self._next_id = 1
        self._pending: dict[int, _Request] = {}
        self._by_age: deque[_Request] = deque()
        self._timer: asyncio.TimerHandle | None = None
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

    def post(self, messages: Sequence[Command | Query]) -> "asyncio.Future[list[Outcome]]":
        """Hand over up to MAX_LIST messages, without waiting for anything.

        They follow on what was posted before, and no one else's stand between them. The result has
        the outcome of each: it comes within `timeout_s`, and never is an exception itself. Raises
        EngineUnavailable for the whole list.
        """
        assert 0 < len(messages) <= MAX_LIST
        if len(self._pending) + len(messages) > MAX_PENDING:
            raise EngineOverloaded("too many requests of this process are waiting")
        loop, first = self._loop, self._next_id
        envelopes = [
            encode_envelope(self._name, number, message)
            for number, message in enumerate(messages, first)
        ]
        check_size(*envelopes)
        self._next_id += len(messages)
        deadline = loop.time() + self._timeout_s
        done = loop.create_future()
        request = _Request(first, messages, envelopes, deadline, done, self._fail)
        for number in range(first, self._next_id):
            self._pending[number] = request
        self._watch(request)
        self._handover.push(request)
        return done

    async def close(self) -> None:
        """Stop listening; what still waits is told that its status is unknown."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        if self._timer is not None:
            self._timer.cancel()
        await self._handover.close()
        self._fail_all(StatusUnknown("the client was closed"))

    def _watch(self, request: _Request) -> None:
        """One timer serves all: whoever came first has to be answered first."""
        by_age = self._by_age
        while by_age and not by_age[0].missing:
            by_age.popleft()
        by_age.append(request)
        if self._timer is None:
            self._timer = self._loop.call_at(request.deadline, self._end_overdue)

    def _end_overdue(self) -> None:
        self._timer = None
        by_age, now = self._by_age, self._loop.time()
        while by_age and (by_age[0].deadline <= now or not by_age[0].missing):
            request = by_age.popleft()
            self._fail(
                request,
                StatusUnknown("no answer in time")
                if request.has_left
                else EngineUnavailable("the engine's Redis does not answer"),
            )
        if by_age:
            self._timer = self._loop.call_at(by_age[0].deadline, self._end_overdue)

    def _fail_all(self, error: Exception) -> None:
        for request in dict.fromkeys(self._pending.values()):
            self._fail(request, error)

    def _fail(self, request: _Request, error: Exception) -> None:
        """What of it is not settled yet."""
        for number in range(request.first, request.first + len(request.messages)):
            self._settle(number, error)

    def _settle(self, number: int, outcome: Outcome) -> None:
        request = self._pending.pop(number, None)
        if request is not None:
            request.settle(number, outcome)

    async def _read_for_ever(self) -> None:
        try:
            while True:
                try:
                    await self._read()
                except Exception as error:  # this task must not die while anybody may ask
                    _log.warning("lost the engine's replies: %s", error)
                self._subscribed.clear()
                # Replies that were published while nobody listened are lost.
                self._fail_all(StatusUnknown("the connection for replies broke"))
                await asyncio.sleep(_RECONNECT_PAUSE_S)
        finally:
            self._subscribed.clear()

    async def _read(self) -> None:
        """Hand out replies until the connection breaks."""
        # Not redis-py's own subscription: it takes a call through five layers for each reply.
        client = connect_async(self._url, timeout_s=None, protocol=2)
        connection: Any = client.connection_pool.make_connection()
        try:
            await connection.connect()
            await connection.send_command("SUBSCRIBE", REPLY_CHANNEL + self._name)
            await connection.read_response()
            self._subscribed.set()
            while True:
                _, _, data = await connection.read_response()
                self._hand_out(data)
        finally:
            await connection.disconnect()

    def _hand_out(self, data: bytes) -> None:
        try:
            decoded = decode_replies(data)
        except msgspec.MsgspecError:  # an engine of another version; its callers hear nothing
            _log.exception("the engine's reply cannot be read")
            return
        ENGINE_TIME.heard(decoded.time)
        for number, reply in decoded.replies:
            self._settle(number, Answer(decoded.sequence, reply))


def loop_client() -> LoopClient:
    """The client of the running event loop, made at its first use."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        client = _clients[loop] = LoopClient(settings.ENGINE_REDIS_URL)
    return client


_clients: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, LoopClient]] = WeakKeyDictionary()
