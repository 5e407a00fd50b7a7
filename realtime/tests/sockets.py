"""Clients of the stream sockets, for tests."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Data

from exchange_site.tests.running import RunningExchange
from realtime.asyncapi.document import schema_of_streams

PATIENCE_S = 30.0
_SESSION = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import get_user_model
user = get_user_model().objects.get(username={name!r})
session = import_module(settings.SESSION_ENGINE).SessionStore()
session["_auth_user_id"] = str(user.pk)
session["_auth_user_hash"] = user.get_session_auth_hash()
session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
session.save()
print("session", session.session_key)
"""


def sign_in(exchange: RunningExchange, name: str) -> str:
    """A signed-in browser's cookie."""
    printed = exchange.manage("shell", "-c", _SESSION.format(name=name))
    found = re.search(r"session (\w+)", printed)
    assert found is not None, printed
    return f"sessionid={found[1]}"


def socket_url(url: str, path: str) -> str:
    return url.replace("http", "ws", 1) + path


@cache
def _of_streams() -> Draft202012Validator:
    return Draft202012Validator(schema_of_streams())


def validate_stream(message: Any) -> None:
    """Whatever a stream socket sends is in its AsyncAPI document."""
    _of_streams().validate(message)


def _read(text: Data) -> Any:
    message = json.loads(text)
    validate_stream(message)
    return message


class StreamClient:
    """One socket, and what came over it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def next(self) -> Any:
        return _read(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))

    async def ask(self, method: str, params: list[Any] | None = None, request_id: Any = 1) -> Any:
        """The answer; stream messages that come before it are passed over."""
        await self.socket.send(
            json.dumps({"method": method, "params": params or [], "id": request_id})
        )
        while True:
            message = await self.next()
            if isinstance(message, dict) and "id" in message:
                return message

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The first message that is wanted."""
        while not wanted(message := await self.next()):
            pass
        return message

    async def close_code(self) -> int:
        """Reads to the end of the connection."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    await self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006


class EventsMissing(AssertionError):
    """An event does not follow on the one before."""


class BookFollower:
    """Keeps a book by Binance's rules: buffer events, take a snapshot, apply what is newer.

    It checks what is promised: events are contiguous, none is empty, and no snapshot is older
    than an event that was seen before it was asked for; and that each is as the AsyncAPI document
    has it.
    """

    def __init__(self, url: str, symbol: str, stream: str, *, compare_every: int = 20) -> None:
        self._url, self._symbol = url, symbol
        self._compare_every = compare_every
        self._stream = f"{symbol.lower()}@{stream}"
        self.http = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=20)
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}
        self.number = 0
        self.events = 0
        self.resyncs = 0
        self.codes: list[int] = []
        self.compared = 0
        self._newer: Any = None
        """A snapshot that the events have not reached yet."""

    async def follow(self) -> None:
        """Until cancelled. Begins anew whenever the socket is closed."""
        while True:
            try:
                async with connect(socket_url(self._url, f"/ws/{self._stream}")) as socket:
                    await self._keep(socket)
            except ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd is not None else 1006)
            except OSError:
                await asyncio.sleep(0.05)

    async def _keep(self, socket: ClientConnection) -> None:
        last_seen = await self._synchronise(socket)
        async for text in socket:
            last_seen = self._apply(_read(text), last_seen)
            if self._newer is not None and self._newer["last_update_id"] <= self.number:
                self._compare(self._newer)
                self._newer = None
            if self._newer is None and self.events % self._compare_every == 0:
                await self._check_snapshot()

    async def _synchronise(self, socket: ClientConnection) -> int:
        """Take a snapshot that is as new as the first event; the last event's number."""
        event = _read(await socket.recv())
        snapshot = await self.depth()
        assert snapshot["last_update_id"] >= event["u"], "a snapshot older than an event"
        self.number = snapshot["last_update_id"]
        self.bids, self.asks = dict(snapshot["bids"]), dict(snapshot["asks"])
        self.resyncs += 1
        self._newer = None
        return int(event["u"])

    def _apply(self, event: Any, last_seen: int) -> int:
        if event["U"] != last_seen + 1:
            raise EventsMissing(f"after {last_seen} came {event['U']}")
        assert event["b"] or event["a"], "an empty event"
        self.events += 1
        if event["u"] > self.number:
            assert event["U"] <= self.number + 1
            for side, changes in ((self.bids, event["b"]), (self.asks, event["a"])):
                for price, quantity in changes:
                    if quantity == "0.00000000":
                        side.pop(price, None)
                    else:
                        side[price] = quantity
            self.number = event["u"]
        return int(event["u"])

    async def depth(self) -> Any:
        while True:
            answer = await self.http.get("/depth", params={"symbol": self._symbol, "limit": 5000})
            if answer.status_code == 200:
                return answer.json()

    async def _check_snapshot(self) -> None:
        snapshot = await self.depth()
        assert snapshot["last_update_id"] >= self.number, "a snapshot older than an event"
        if not self._compare(snapshot):
            self._newer = snapshot

    def _compare(self, snapshot: Any) -> bool:
        if snapshot["last_update_id"] != self.number:
            return False
        assert self.bids == dict(snapshot["bids"])
        assert self.asks == dict(snapshot["asks"])
        self.compared += 1
        return True

    async def agree(self) -> None:
        """Wait until book and snapshot are of the same number, and compare them."""
        await eventually(self._agrees, f"{self._stream} agrees with the snapshot")

    async def _agrees(self) -> bool:
        return self._compare(await self.depth())


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Returns as soon as the condition holds, and fails with `what` where it does not in time."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {PATIENCE_S:g} s: {what}") from None
