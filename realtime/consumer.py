"""The socket of the market data streams: `/ws`, `/ws/<stream>`, `/stream?streams=a/b`."""

import asyncio
import logging
from typing import Any, Final
from weakref import WeakKeyDictionary

import redis
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer

from engine.publisher.streams import public_stream, user_stream
from realtime.broker import Broker
from realtime.client_connection import (
    SERVICE_RESTART,
    SIGNED_OUT,
    TOO_MANY_REQUESTS,
    ClientConnection,
)
from realtime.identity import account_of_session, origin_is_ours, session_key
from realtime.protocol import (
    MAX_SUBSCRIPTIONS,
    UNKNOWN_PROPERTY,
    WRONG_VALUE,
    Request,
    RequestError,
    answer,
    error_answer,
    invalid_request,
    names_in_query,
    parse_request,
)
from realtime.sessions import session_mark, wait_for_end

USER: Final = "user"
"""The stream of the caller's own events."""

_log = logging.getLogger(__name__)
_brokers: WeakKeyDictionary[asyncio.AbstractEventLoop, Broker] = WeakKeyDictionary()


def process_broker() -> Broker:
    """The broker of this process, which runs one event loop."""
    loop = asyncio.get_running_loop()
    broker = _brokers.get(loop)
    if broker is None:
        broker = _brokers[loop] = Broker(get_channel_layer())
    return broker


class StreamConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    # The broker alone speaks with the channel layer: a channel of each socket's own would cost a
    # subscription each.
    channel_layer_alias = None

    combined = False
    """Whether the path is `/stream`."""

    _session_watch: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        try:
            names = self._names_in_path()
        except RequestError:
            await self.close()
            return
        await self.accept()
        self._broker = process_broker()
        self._connection = ClientConnection(
            self._send_text, self._close_socket, self._abort, combined=self.combined
        )
        self._broker.pool.add(self._connection)
        await self._guarded(self._subscribe(names))

    def _names_in_path(self) -> list[str]:
        if self.combined:
            return names_in_query(self.scope["query_string"])
        name = self.scope["url_route"]["kwargs"].get("streams", "")
        return [part for part in name.split("/") if part][:MAX_SUBSCRIPTIONS]

    async def disconnect(self, code: int) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.forget()
            if self._session_watch is not None:
                self._session_watch.cancel()
            self._broker.pool.discard(connection)
            self._unsubscribe(list(connection.subscriptions))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._connection.may_ask():
            self._connection.end(TOO_MANY_REQUESTS, "too many requests")
            return
        await self._guarded(self._serve(text_data or ""))

    async def _guarded(self, serving: Any) -> None:
        try:
            await serving
        except RequestError as error:
            self._connection.offer(error_answer(error))
        except redis.RedisError as error:
            _log.warning("a stream could not be joined: %s", error)
            self._connection.end(SERVICE_RESTART, "try again")

    async def _serve(self, text: str) -> None:
        request = parse_request(text)
        try:
            result = await self._result(request)
        except RequestError as error:
            raise RequestError(error.code, error.message, request.id) from None
        self._connection.offer(answer(result, request.id))

    async def _result(self, request: Request) -> Any:
        if request.method == "SUBSCRIBE":
            await self._subscribe(request.params)
            return None
        if request.method == "UNSUBSCRIBE":
            self._unsubscribe(request.params)
            return None
        if request.method == "LIST_SUBSCRIPTIONS":
            return list(self._connection.subscriptions)
        return self._property(request)

    def _property(self, request: Request) -> bool | None:
        name = request.params[0] if request.params else None
        if not isinstance(name, str):
            raise invalid_request("property name must be a string")
        if name != "combined":
            raise RequestError(UNKNOWN_PROPERTY, "Unknown property")
        if request.method == "GET_PROPERTY":
            return self._connection.combined
        value = request.params[1] if len(request.params) > 1 else None
        if not isinstance(value, bool):
            raise RequestError(WRONG_VALUE, "Invalid value type: expected Boolean")
        self._connection.combined = value
        return None

    async def _subscribe(self, names: list[str]) -> None:
        """Names of no stream are legal, as they are with Binance: nothing ever comes of them."""
        subscriptions = self._connection.subscriptions
        if len(subscriptions.keys() | set(names)) > MAX_SUBSCRIPTIONS:
            raise invalid_request(f"a connection has at most {MAX_SUBSCRIPTIONS} streams")
        own = await self._own_stream() if USER in names else None
        for name in names:
            if name in subscriptions:
                continue
            subscriptions[name] = stream = own if name == USER else public_stream(name)
            if stream is not None:
                await self._broker.join(self._connection, name, stream)

    async def _own_stream(self) -> str:
        if not origin_is_ours(self.scope):
            raise invalid_request("`user` needs the Origin of this site")
        account = await account_of_session(self.scope)
        if account is None:
            raise invalid_request("`user` needs a signed-in session")
        if self._session_watch is None:
            self._connection.session = session_mark(session_key(self.scope) or "")
            self._session_watch = asyncio.create_task(self._watch_session(account))
        return user_stream(account)

    async def _watch_session(self, account: int) -> None:
        await wait_for_end(account, lambda: account_of_session(self.scope))
        self._connection.end(SIGNED_OUT, "signed out")

    def _unsubscribe(self, names: list[str]) -> None:
        for name in names:
            stream = self._connection.subscriptions.pop(name, None)
            if stream is not None:
                self._broker.leave(self._connection, stream)

    async def _send_text(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    async def _close_socket(self, code: int, reason: str) -> None:
        await self.base_send({"type": "websocket.close", "code": code, "reason": reason})

    def _abort(self) -> None:
        """Drop the connection. ASGI knows no way, but a client that does not read accepts no
        closing frame either, and would hold its socket for as long as it likes; so the server's
        protocol is asked for its transport, where it has one."""
        transport = getattr(getattr(self.base_send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()


class CombinedStreamConsumer(StreamConsumer):
    combined = True
