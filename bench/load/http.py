"""Kept connections of HTTP, one request at a time each."""

import asyncio
from functools import partial
from typing import Final, cast
from urllib.parse import urlsplit

import msgspec
from httptools import HttpResponseParser

from bench.load.pacing import Outcome, Pacer
from bench.load.plan import Plan
from bench.load.writing import HttpWriter

UNKNOWN: Final = 504


class _Placed(msgspec.Struct):
    """An order of `/api/v1` or `/api/v3`, or the problem that came instead."""

    order_id: int = 0
    orderId: int = 0  # noqa: N815
    code: str | int = ""


_decode: Final = msgspec.json.Decoder(_Placed | list[_Placed]).decode


def judged(status: int, body: bytes, plan: Plan, *, sells: bool) -> Outcome:
    """Only an order with a result counts as placed."""
    if plan.way == "get":
        return Outcome(int(status == 200), int(status != 200), 0, sells)
    if status == UNKNOWN:
        return Outcome(0, 0, plan.together, sells)
    if status != 200:
        return Outcome(0, plan.together, 0, sells)
    found = _decode(body)
    items = found if isinstance(found, list) else [found]
    placed = sum(item.order_id > 0 or item.orderId > 0 for item in items)
    unknown = sum(item.code == "STATUS_UNKNOWN" for item in items)
    return Outcome(placed, plan.together - placed - unknown, unknown, sells)


class HttpConnection(asyncio.Protocol):
    """Every second request of a connection sells; where it begins, its number says."""

    def __init__(self, plan: Plan, pacer: Pacer, number: int) -> None:
        self._plan = plan
        self._pacer = pacer
        self._number = number
        self._writer = HttpWriter(plan, plan.users[number % len(plan.users)])
        self._parser = HttpResponseParser(self)
        self._body = b""
        self._intended = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has another base

    def send(self, intended: float) -> None:
        self._number += 1
        self._intended = intended
        self._transport.write(self._writer.write(sells=self._number % 2 == 0))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status, body, self._body = self._parser.get_status_code(), self._body, b""
        outcome = judged(status, body, self._plan, sells=self._number % 2 == 0)
        self._pacer.answered(self, self._intended, outcome)


async def http_connections(plan: Plan, pacer: Pacer) -> list[HttpConnection]:
    connections = []
    for number in range(plan.connections):
        address = urlsplit(plan.url_of(number))
        assert address.hostname is not None
        assert address.port is not None
        _, connection = await asyncio.get_running_loop().create_connection(
            partial(HttpConnection, plan, pacer, number), address.hostname, address.port
        )
        connections.append(connection)
    return connections
