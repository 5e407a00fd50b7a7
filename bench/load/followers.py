"""Sockets that watch streams: when each message came to each of them, and what is missing."""

import asyncio
import time
from array import array
from typing import Final

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.load.plan import Plan, Told, packed

TOGETHER: Final = 50
"""Sockets that are opened at the same time."""


class _Event(msgspec.Struct):
    """A trade, a depth update or a book ticker, which has no name of its own."""

    kind: str = msgspec.field(name="e", default="bookTicker")
    traded_ms: int = msgspec.field(name="T", default=0)
    trade_id: int = msgspec.field(name="t", default=0)
    first: int = msgspec.field(name="U", default=0)
    last: int = msgspec.field(name="u", default=0)


_decode: Final = msgspec.json.Decoder(_Event).decode

_KINDS: Final = {"trade": "trade", "bookTicker": "bookTicker", "depth@100ms": "depthUpdate"}


class Message:
    """Of a stream, as all followers know it."""

    __slots__ = ("arrivals_us", "first", "last", "time_ms")

    def __init__(self, first: int, last: int, time_ms: int) -> None:
        self.first = first
        self.last = last
        self.time_ms = time_ms
        self.arrivals_us = array("q")


class Audience:
    """All followers of a plan together."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, int], Message] = {}
        self.gaps = dict.fromkeys(_KINDS.values(), 0)
        self.closed = 0
        self.heard = 0
        """How many messages came, to all followers."""

    def told(self, stream: str) -> list[Told]:
        messages = [each for (kind, _), each in self.messages.items() if kind == _KINDS[stream]]
        return [
            Told(each.first, each.last, each.time_ms, packed(each.arrivals_us))
            for each in sorted(messages, key=lambda each: each.last)
        ]

    def gaps_of(self, stream: str) -> int:
        return self.gaps[_KINDS[stream]]


class Follower(WSListener):
    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._last: dict[str, int] = {}

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now_us = time.time_ns() // 1_000
        if frame.msg_type != WSMsgType.TEXT:
            return
        self._audience.heard += 1
        event = _decode(frame.get_payload_as_memoryview())
        kind = event.kind
        last = event.trade_id or event.last
        first = event.trade_id or event.first
        before = self._last.get(kind)
        self._last[kind] = last
        if first and before is not None and first != before + 1:
            self._audience.gaps[kind] += 1
        message = self._audience.messages.get((kind, last))
        if message is None:
            message = self._audience.messages[kind, last] = Message(first, last, event.traded_ms)
        message.arrivals_us.append(now_us)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._audience.closed += 1


async def followers(plan: Plan, audience: Audience) -> list[WSTransport]:
    names = "/".join(f"{plan.market.lower()}@{stream}" for stream in plan.streams)
    url = f"{plan.url.replace('http', 'ws', 1)}/ws/{names}"
    places = asyncio.Semaphore(TOGETHER)

    async def connected() -> WSTransport:
        async with places:
            transport, _ = await ws_connect(
                lambda: Follower(audience), url, websocket_handshake_timeout=60
            )
        return transport

    return list(await asyncio.gather(*(connected() for _ in range(plan.followers))))
