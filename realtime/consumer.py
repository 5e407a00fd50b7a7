"""The socket of the market data streams: `/ws`, `/ws/<stream>`, `/stream?streams=a/b`."""

import asyncio
import logging
import time
from functools import partial
from typing import Any, NamedTuple

import redis

from engine.publisher.frames import encode
from engine.publisher.missed import TooLongAgo
from engine.publisher.reader import FeedUnavailable
from engine.publisher.streams import public_stream
from exchange_site.database.remembered import DatabaseUnavailable
from exchange_site.threads import ServerOverloaded, in_thread
from markets.binance.listen_keys import ListenKeysUnavailable, account_of_listen_key
from realtime.broker import Listener, process_broker
from realtime.client_connection import (
    SERVICE_RESTART,
    SIGNED_OUT,
    TOO_MANY_REQUESTS,
)
from realtime.identity import account_of_session, origin_is_ours, session_key
from realtime.outgoing import Outgoing
from realtime.protocol import (
    MAX_SUBSCRIPTIONS,
    NOT_SIGNED_IN,
    RESYNC,
    UNAVAILABLE,
    UNKNOWN_PROPERTY,
    USER,
    WRONG_VALUE,
    OwnStream,
    Request,
    RequestError,
    answer,
    error_answer,
    invalid_request,
    names_in_query,
    own_stream,
    parse_request,
)
from realtime.sessions import session_mark, wait_for_end
from realtime.socket_consumer import SocketConsumer
from realtime.user_subscription import UserSubscription, follow

_log = logging.getLogger(__name__)


class Subscription(NamedTuple):
    """Who listens to which stream for the socket, and by which name."""

    listener: Listener
    name: str
    stream: str


class StreamConsumer(SocketConsumer):
    combined = False
    """Whether the path is `/stream`."""

    async def connect(self) -> None:
        try:
            names = self._names_in_path()
        except RequestError:
            await self.close()
            return
        await self.accept()
        self._broker = process_broker()
        self._connection = self.new_connection(combined=self.combined)
        self._subscriptions: dict[str, Subscription | None] = {}
        """What the client asked for; None where there is no such stream."""
        self._watches: dict[str, asyncio.Task[None]] = {}
        """Whether the right to an account's stream still holds, by its name."""
        self._broker.pool.add(self._connection)
        await self._guarded(self._subscribe_path(names))

    def _names_in_path(self) -> list[str]:
        if self.combined:
            return names_in_query(self.scope["query_string"])
        name = self.scope["url_route"]["kwargs"].get("streams", "")
        return [part for part in name.split("/") if part][:MAX_SUBSCRIPTIONS]

    async def disconnect(self, code: int) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.forget()
            self._broker.pool.discard(connection)
            self._unsubscribe(list(self._subscriptions))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._connection.may_ask():
            self._connection.end(TOO_MANY_REQUESTS, "too many requests")
            return
        await self._guarded(self._serve(text_data or ""))

    async def _guarded(self, serving: Any) -> None:
        try:
            await serving
        except RequestError as error:
            self._connection.offer(Outgoing(error_answer(error)))
        except (redis.RedisError, FeedUnavailable, ListenKeysUnavailable) as error:
            _log.warning("a stream could not be joined: %s", error)
            self._connection.end(SERVICE_RESTART, "try again")

    async def _serve(self, text: str) -> None:
        request = parse_request(text)
        try:
            result = await self._result(request)
        except RequestError as error:
            raise RequestError(error.code, error.message, request.id) from None
        self._connection.offer(Outgoing(answer(result, request.id)))

    async def _result(self, request: Request) -> Any:
        if request.method == "SUBSCRIBE":
            await self._subscribe(request.params)
            return None
        if request.method == "UNSUBSCRIBE":
            self._unsubscribe(request.params)
            return None
        if request.method == "LIST_SUBSCRIPTIONS":
            return list(self._subscriptions)
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
        try:
            await self._join(names)
        except (DatabaseUnavailable, ServerOverloaded) as error:
            # Only an account's stream needs to know whose it is: the others of the socket go on.
            _log.warning("an account's stream could not be joined: %s", error)
            raise RequestError(UNAVAILABLE, "unavailable: try again later") from error

    async def _subscribe_path(self, names: list[str]) -> None:
        """Who names an account's stream in the path sends no request that could be repeated, and
        so has to connect again; unless there is something else to stay for."""
        try:
            await self._subscribe(names)
        except RequestError as error:
            if error.code != UNAVAILABLE:
                raise
            public = [name for name in names if own_stream(name) is None]
            if not public:
                self._connection.end(SERVICE_RESTART, "try again")
                return
            await self._subscribe(public)
            raise

    async def _join(self, names: list[str]) -> None:
        subscriptions = self._subscriptions
        if len(subscriptions.keys() | set(names)) > MAX_SUBSCRIPTIONS:
            raise invalid_request(f"a connection has at most {MAX_SUBSCRIPTIONS} streams")
        new = [name for name in dict.fromkeys(names) if name not in subscriptions]
        accounts = {name: await self._account_of(own) for name in new if (own := own_stream(name))}
        for name in new:
            account = accounts.get(name)
            if account is not None:
                subscriptions[name] = await self._follow(name, account)
            elif (stream := public_stream(name)) is not None:
                subscriptions[name] = Subscription(self._connection, name, stream)
                await self._broker.join(self._connection, name, stream)
            else:
                subscriptions[name] = None

    async def _account_of(self, own: OwnStream) -> int | None:
        """Of a session; or of a listen key, None where it is none."""
        if own.right != USER:
            return await in_thread(lambda: account_of_listen_key(listen_key=own.right))
        if not origin_is_ours(self.scope):
            raise invalid_request("`user` needs the Origin of this site")
        account = await account_of_session(self.scope)
        if account is None:
            raise RequestError(NOT_SIGNED_IN, "`user` needs a signed-in session")
        return account

    async def _follow(self, name: str, account: int) -> Subscription:
        own = own_stream(name)
        assert own is not None
        by_session = own.right == USER
        mark = session_mark(session_key(self.scope) or "") if by_session else ""
        listener = UserSubscription(
            self._connection, partial(self._wrap, name), session=mark, held=own.after is not None
        )
        try:
            stream = await follow(self._broker, listener, account, own.after)
        except TooLongAgo:
            raise RequestError(
                RESYNC, f"resync: what came after event {own.after} is not kept"
            ) from None
        watch = self._watch_session(account) if by_session else self._watch_key(name, own, account)
        self._watches[name] = asyncio.create_task(watch)
        return Subscription(listener, stream, stream)

    def _wrap(self, name: str, text: str) -> str:
        return f'{{"stream":"{name}","data":{text}}}' if self._connection.combined else text

    async def _watch_session(self, account: int) -> None:
        await wait_for_end(account, lambda: account_of_session(self.scope))
        self._connection.end(SIGNED_OUT, "signed out")

    async def _watch_key(self, name: str, own: OwnStream, account: int) -> None:
        await wait_for_end(account, lambda: self._account_of(own))
        now = time.time_ns() // 1_000_000
        expired = encode({"e": "listenKeyExpired", "E": now, "listenKey": own.right})
        self._connection.offer(Outgoing(self._wrap(name, expired)))
        self._unsubscribe([name])

    def _unsubscribe(self, names: list[str]) -> None:
        for name in names:
            subscription = self._subscriptions.pop(name, None)
            if subscription is not None:
                self._broker.leave(*subscription)
            watch = self._watches.pop(name, None)
            if watch is not None:
                watch.cancel()


class CombinedStreamConsumer(StreamConsumer):
    combined = True
