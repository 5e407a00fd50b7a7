"""Sockets of the WebSocket API, logged on."""

import asyncio
from functools import partial
from typing import Final

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.load.pacing import Outcome, Pacer
from bench.load.plan import Plan
from bench.load.writing import ApiWriter, log_on

UNKNOWN: Final = 504


class _Placed(msgspec.Struct):
    orderId: int = 0  # noqa: N815


class _Item(msgspec.Struct):
    status: int
    result: _Placed | None = None


class Answer(msgspec.Struct):
    id: int
    status: int
    result: _Placed | list[_Item] | None = None


_decode: Final = msgspec.json.Decoder(Answer).decode


def judged(answer: Answer, together: int, *, sells: bool) -> Outcome:
    """Only an order with a result counts as placed."""
    items = answer.result
    if not isinstance(items, list):
        items = [_Item(answer.status, items)] * together
    placed = sum(item.result is not None and item.result.orderId > 0 for item in items)
    unknown = sum(item.status == UNKNOWN for item in items)
    return Outcome(placed, together - placed - unknown, unknown, sells)


class ApiSocket(WSListener):
    """Every second request of a socket sells; where it begins, its number says."""

    def __init__(self, plan: Plan, pacer: Pacer, number: int) -> None:
        self._writer = ApiWriter(plan)
        self._together = plan.together
        self._pacer = pacer
        self._number = number
        self._under_way: dict[int, float] = {}
        self.ready = asyncio.Event()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def log_on(self, plan: Plan) -> None:
        user = plan.users[self._number % len(plan.users)]
        self._transport.send(WSMsgType.TEXT, log_on(user))

    def send(self, intended: float) -> None:
        self._number += 1
        self._under_way[self._number] = intended
        request = self._writer.write(self._number, sells=self._number % 2 == 0)
        self._transport.send(WSMsgType.TEXT, request)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        answer = _decode(frame.get_payload_as_memoryview())
        if answer.id < 0:
            assert answer.status == 200, answer
            self.ready.set()
            return
        outcome = judged(answer, self._together, sells=answer.id % 2 == 0)
        self._pacer.answered(self, self._under_way.pop(answer.id), outcome)


async def api_sockets(plan: Plan, pacer: Pacer) -> list[ApiSocket]:
    sockets = []
    for number in range(plan.connections):
        _, socket = await ws_connect(
            partial(ApiSocket, plan, pacer, number),
            f"{plan.url_of(number).replace('http', 'ws', 1)}/ws-api/v3",
        )
        assert isinstance(socket, ApiSocket)
        socket.log_on(plan)
        await socket.ready.wait()
        sockets.append(socket)
    return sockets
