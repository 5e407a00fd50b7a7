"""Send a command to the engine and await its result.

Each process has one client: one subscription for all its replies, read by one thread, and a
future per request. The subscription stands before anything is pushed, and nothing is ever pushed
twice: where it cannot be known whether a command takes effect, the caller is told so.
"""

import asyncio
import itertools
import logging
import os
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import lru_cache, partial
from typing import Final, NamedTuple, get_args
from weakref import WeakKeyDictionary

import msgspec
import redis
from django.conf import settings

from engine.connections import connect
from engine.core.commands import Command
from engine.core.queries import Query
from engine.core.replies import Reply
from engine.handover import (
    MAX_LIST,
    EngineOverloaded,
    EngineUnavailable,
    Handover,
    Parcel,
    StatusUnknown,
    check_accepted,
    check_size,
    refusal,
)
from engine.intake import push_command
from engine.wire import REPLY_CHANNEL, decode_replies, encode_envelope

__all__ = [
    "MAX_LIST",
    "MAX_PENDING",
    "Answer",
    "EngineClient",
    "EngineOverloaded",
    "EngineUnavailable",
    "StatusUnknown",
    "engine_client",
    "settle",
    "settle_all",
]

MAX_PENDING: Final = 10_000
"""Requests of one process that may wait at a time."""

_SUBSCRIBE_TIMEOUT_S: Final = 2.0
_RECONNECT_PAUSE_S: Final = 0.1
_CLOSE_WITHIN_S: Final = 0.25

_QUERIES: Final = get_args(Query)
_log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """A reply, and the newest journal entry at that time: for a command, the one that holds it."""

    sequence: int
    reply: Reply


class EngineClient:
    """Thread-safe; serves threads (`call`) and event loops (`acall`) alike."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._name = secrets.token_hex(8)
        self._request_ids = itertools.count(1)
        self._pending: dict[int, Future[Answer]] = {}
        self._pushers = connect(url).connection_pool
        self._handovers: WeakKeyDictionary[asyncio.AbstractEventLoop, Handover] = (
            WeakKeyDictionary()
        )
        self._offset_ms = time.time_ns() // 1_000_000 - _monotonic_ms()
        self._subscribed = threading.Event()
        self._closed = threading.Event()
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()

    def call(self, message: Command | Query, *, timeout: float = 5.0) -> Answer:
        """Send and wait, `timeout` seconds at most. Raises EngineUnavailable or StatusUnknown."""
        self._ensure_subscribed()
        request_id, future = self._register()
        try:
            self._push([message], encode_envelope(self._name, request_id, message))
            return future.result(timeout)
        except FutureTimeoutError as error:
            raise _for_message(StatusUnknown("no answer in time"), message) from error
        except StatusUnknown as error:
            raise _for_message(error, message) from error
        finally:
            self._pending.pop(request_id, None)

    def call_all(
        self, messages: Sequence[Command | Query], *, timeout: float = 5.0
    ) -> list[Answer | Exception]:
        """Like `call`, for up to MAX_LIST messages in one push: the engine sees them one after the
        other, with nobody else's between. An answer each, in order, or its EngineUnavailable or
        StatusUnknown; raises EngineUnavailable where none was handed over.
        """
        if not messages:
            return []
        deadline = time.monotonic() + timeout
        try:
            futures = self.send_all(messages)
        except StatusUnknown as error:
            return [_for_message(error, message) for message in messages]
        pairs = zip(futures, messages, strict=True)
        return [_outcome(future, message, deadline) for future, message in pairs]

    async def acall(self, message: Command | Query, *, timeout: float = 5.0) -> Answer:
        """Like `call`, for a coroutine."""
        await self.ready()
        (future,) = self.post([message])
        return await settle(future, message, timeout=timeout)

    async def ready(self) -> None:
        """To be awaited before `post`. Raises EngineUnavailable."""
        if not self._subscribed.is_set():
            await asyncio.to_thread(self._ensure_subscribed)

    def post(self, messages: Sequence[Command | Query]) -> list[Future[Answer]]:
        """Hand over up to MAX_LIST messages from a coroutine, without waiting for anything.

        They follow on what was posted before in this event loop, and no one else's stand between
        them. A future each, which `settle` awaits. Raises EngineUnavailable for the whole list.
        """
        assert 0 < len(messages) <= MAX_LIST
        futures: dict[int, Future[Answer]] = {}
        envelopes = []
        try:
            for message in messages:
                request_id, future = self._register()
                future.add_done_callback(partial(self._forget, request_id))
                futures[request_id] = future
                envelopes.append(encode_envelope(self._name, request_id, message))
            check_size(*envelopes)
        except EngineUnavailable:
            for future in futures.values():
                future.cancel()
            raise
        self._handover().push(Parcel(messages, envelopes, partial(self._fail, list(futures))))
        return list(futures.values())

    def _fail(self, request_ids: list[int], error: EngineUnavailable | StatusUnknown) -> None:
        for request_id in request_ids:
            future = self._pending.pop(request_id, None)
            if future is not None and future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _handover(self) -> Handover:
        """Connections belong to the event loop in which they were made."""
        loop = asyncio.get_running_loop()
        handover = self._handovers.get(loop)
        if handover is None:
            handover = self._handovers[loop] = Handover(self._url)
        return handover

    def engine_time_ms(self) -> int:
        """The engine's time, by which commands expire: of its newest reply, and counted on from
        there. So nobody who sets this machine's clock makes orders expire early or late."""
        return _monotonic_ms() + self._offset_ms

    def close(self) -> None:
        """Stop listening; what still waits is told that its status is unknown."""
        self._closed.set()
        if self._reader is not None:
            self._reader.join()
        self._pushers.disconnect()

    def send_all(self, messages: Sequence[Command | Query]) -> list[Future[Answer]]:
        """Hand over up to MAX_LIST messages, in order and with one push: all of them or none.

        Returns a future each, in the same order; who gives up waiting cancels it. Raises
        EngineUnavailable or StatusUnknown for the whole list; a future, StatusUnknown for its own.
        """
        assert 0 < len(messages) <= MAX_LIST
        self._ensure_subscribed()
        futures: list[Future[Answer]] = []
        envelopes = []
        try:
            for message in messages:
                request_id, future = self._register()
                future.add_done_callback(partial(self._forget, request_id))
                futures.append(future)
                envelopes.append(encode_envelope(self._name, request_id, message))
            self._push(messages, *envelopes)
        except (EngineUnavailable, StatusUnknown):
            for future in futures:
                future.cancel()
            raise
        return futures

    def _forget(self, request_id: int, _done: Future[Answer]) -> None:
        self._pending.pop(request_id, None)

    def _register(self) -> tuple[int, Future[Answer]]:
        if len(self._pending) >= MAX_PENDING:
            raise EngineOverloaded("too many requests of this process are waiting")
        request_id = next(self._request_ids)
        future: Future[Answer] = Future()
        self._pending[request_id] = future
        return request_id, future

    def _push(self, messages: Sequence[Command | Query], *envelopes: bytes) -> None:
        check_size(*envelopes)
        try:
            connection = self._pushers.get_connection()
        except redis.MaxConnectionsError as error:
            raise EngineOverloaded("too many requests of this process are waiting") from error
        except redis.RedisError as error:
            raise EngineUnavailable("the engine's Redis does not answer") from error
        try:
            connection.send_command(*push_command(messages, envelopes))
            accepted = connection.read_response()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            connection.disconnect()
            raise StatusUnknown("the connection broke while the command was handed over") from error
        except redis.ResponseError as error:
            raise refusal(error) from error
        finally:
            self._pushers.release(connection)
        check_accepted(accepted)

    def _ensure_subscribed(self) -> None:
        if self._subscribed.is_set():
            return
        with self._lock:
            if self._reader is None:
                self._reader = threading.Thread(
                    target=self._read_for_ever, name="engine-replies", daemon=True
                )
                self._reader.start()
        if not self._subscribed.wait(_SUBSCRIBE_TIMEOUT_S):
            raise EngineUnavailable("the engine's Redis does not answer")

    def _read_for_ever(self) -> None:
        while not self._closed.is_set():
            try:
                self._read()
            except Exception as error:  # this thread must not die: nobody could revive it
                _log.warning("lost the engine's replies: %s", error)
            self._subscribed.clear()
            self._give_up_pending()
            self._closed.wait(_RECONNECT_PAUSE_S)

    def _read(self) -> None:
        """Hand replies to their futures until the connection breaks, or the client is closed."""
        with connect(self._url, timeout_s=None).pubsub() as subscription:
            subscription.subscribe(REPLY_CHANNEL + self._name)
            while not self._closed.is_set():
                message = subscription.get_message(timeout=_CLOSE_WITHIN_S)
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
        self._offset_ms = decoded.time - _monotonic_ms()
        for request_id, reply in decoded.replies:
            future = self._pending.pop(request_id, None)
            if future is not None and future.set_running_or_notify_cancel():
                future.set_result(Answer(decoded.sequence, reply))

    def _give_up_pending(self) -> None:
        """Replies that were published while nobody listened are lost."""
        for request_id in list(self._pending):
            future = self._pending.pop(request_id, None)
            if future is not None and future.set_running_or_notify_cancel():
                future.set_exception(StatusUnknown("the connection for replies broke"))


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


async def settle(future: Future[Answer], message: Command | Query, *, timeout: float) -> Answer:
    """The answer to a posted message. Raises EngineUnavailable or StatusUnknown."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
    except TimeoutError as error:
        raise _for_message(StatusUnknown("no answer in time"), message) from error
    except StatusUnknown as error:
        raise _for_message(error, message) from error


async def settle_all(
    futures: Sequence[Future[Answer]], messages: Sequence[Command | Query], *, timeout: float
) -> list[Answer | Exception]:
    """Of several posted messages the answer each, or its EngineUnavailable or StatusUnknown."""
    loop = asyncio.get_running_loop()
    all_done = asyncio.Event()
    count = itertools.count(1)

    def note(_: Future[Answer]) -> None:
        if next(count) == len(futures):  # one wake-up for all of them
            loop.call_soon_threadsafe(all_done.set)

    for future in futures:
        future.add_done_callback(note)
    with suppress(TimeoutError):
        await asyncio.wait_for(all_done.wait(), timeout)
    pairs = zip(futures, messages, strict=True)
    return [_outcome(future, message, time.monotonic()) for future, message in pairs]


def _outcome(
    future: Future[Answer], message: Command | Query, deadline: float
) -> Answer | Exception:
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except FutureTimeoutError:
        future.cancel()
        return _for_message(StatusUnknown("no answer in time"), message)
    except StatusUnknown as error:
        return _for_message(error, message)
    except EngineUnavailable as error:
        return error


def _for_message(error: StatusUnknown, message: Command | Query) -> Exception:
    """A query has no effect, so its status is never in doubt."""
    return EngineUnavailable(str(error)) if isinstance(message, _QUERIES) else error


def engine_client() -> EngineClient:
    """The client of this process, made at its first use (and anew after a fork)."""
    return _client_of(os.getpid())


@lru_cache(maxsize=1)
def _client_of(_process: int) -> EngineClient:
    return EngineClient(settings.ENGINE_REDIS_URL)
