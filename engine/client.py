"""Send a command to the engine and wait for its result, in threads (coroutines: `loop_client.py`).

Each process has one client: one subscription for all its replies, read by one thread, and a
future per request. The subscription stands before anything is pushed, and nothing is ever pushed
twice: where it cannot be known whether a command takes effect, the caller is told so.
"""

import itertools
import logging
import os
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import lru_cache, partial
from typing import Final, NamedTuple

import msgspec
import redis
from django.conf import settings

from engine.connections import connect
from engine.core.acceptance import complete_reply
from engine.core.commands import Command
from engine.core.queries import Query
from engine.engine_time import ENGINE_TIME
from engine.handover import MAX_LIST
from engine.intake import push_command
from engine.outcomes import (
    Answer,
    EngineOverloaded,
    EngineUnavailable,
    StatusUnknown,
    check_accepted,
    check_size,
    for_message,
    refusal,
)
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
]

MAX_PENDING: Final = 10_000
"""Requests of one process that may wait at a time."""

_SUBSCRIBE_TIMEOUT_S: Final = 2.0
_RECONNECT_PAUSE_S: Final = 0.1
_CLOSE_WITHIN_S: Final = 0.25

_log = logging.getLogger(__name__)


class _Request(NamedTuple):
    message: Command | Query
    future: Future[Answer]


class EngineClient:
    """Thread-safe."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._name = secrets.token_hex(8)
        self._request_ids = itertools.count(1)
        self._pending: dict[int, _Request] = {}
        self._pushers = connect(url).connection_pool
        self._subscribed = threading.Event()
        self._closed = threading.Event()
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()

    def call(self, message: Command | Query, *, timeout: float = 5.0) -> Answer:
        """Send and wait, `timeout` seconds at most. Raises EngineUnavailable or StatusUnknown."""
        self._ensure_subscribed()
        request_id, future = self._register(message)
        try:
            self._push([message], encode_envelope(self._name, request_id, message))
            return future.result(timeout)
        except FutureTimeoutError as error:
            raise for_message(StatusUnknown("no answer in time"), message) from error
        except StatusUnknown as error:
            raise for_message(error, message) from error
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
            return [for_message(error, message) for message in messages]
        pairs = zip(futures, messages, strict=True)
        return [_outcome(future, message, deadline) for future, message in pairs]

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
                request_id, future = self._register(message)
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

    def _register(self, message: Command | Query) -> tuple[int, Future[Answer]]:
        if len(self._pending) >= MAX_PENDING:
            raise EngineOverloaded("too many requests of this process are waiting")
        request_id = next(self._request_ids)
        future: Future[Answer] = Future()
        self._pending[request_id] = _Request(message, future)
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
        ENGINE_TIME.heard(decoded.time)
        for request_id, reply in decoded.replies:
            request = self._pending.pop(request_id, None)
            if request is not None and request.future.set_running_or_notify_cancel():
                complete = complete_reply(reply, request.message)
                request.future.set_result(Answer(decoded.sequence, complete))

    def _give_up_pending(self) -> None:
        """Replies that were published while nobody listened are lost."""
        for request_id in list(self._pending):
            request = self._pending.pop(request_id, None)
            if request is not None and request.future.set_running_or_notify_cancel():
                request.future.set_exception(StatusUnknown("the connection for replies broke"))


def _outcome(
    future: Future[Answer], message: Command | Query, deadline: float
) -> Answer | Exception:
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except FutureTimeoutError:
        future.cancel()
        return for_message(StatusUnknown("no answer in time"), message)
    except StatusUnknown as error:
        return for_message(error, message)
    except EngineUnavailable as error:
        return error


def engine_client() -> EngineClient:
    """The client of this process, made at its first use (and anew after a fork)."""
    return _client_of(os.getpid())


@lru_cache(maxsize=1)
def _client_of(_process: int) -> EngineClient:
    return EngineClient(settings.ENGINE_REDIS_URL)
