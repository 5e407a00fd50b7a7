"""The broker between a layer that does what the test says, and sockets that note everything."""

import asyncio
from typing import Any

import pytest

from realtime.broker import Broker
from realtime.client_connection import (
    MAX_WAITING,
    REQUESTS_AT_ONCE,
    ClientConnection,
)
from realtime.layer import LOST
from realtime.outgoing import Outgoing


class Layer:
    """Counts what is joined; `messages` is what the process receives."""

    def __init__(self) -> None:
        self.joined: list[str] = []
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def new_channel(self) -> str:
        return "channel"

    async def group_add(self, group: str, channel: str) -> None:
        if group not in self.joined:
            self.joined.append(group)

    async def group_discard(self, group: str, channel: str) -> None:
        self.joined.remove(group)

    async def receive(self, channel: str) -> dict[str, Any]:
        message = await self.messages.get()
        self.messages.task_done()
        return message


class Socket:
    """Where a connection sends to. `behind` takes nothing at once, `stalled` nothing at all."""

    def __init__(self, *, combined: bool = False) -> None:
        self.received: list[str] = []
        self.closed: int | None = None
        self.aborted = False
        self.behind = self.stalled = False
        self.connection = ClientConnection(
            self._write, self._send, self._close, self._abort, combined=combined
        )

    def _write(self, message: Outgoing) -> bool:
        if self.behind or self.stalled:
            return False
        self.received.append(message.text)
        return True

    async def _send(self, text: str) -> None:
        if self.stalled:
            await asyncio.Event().wait()
        self.received.append(text)

    async def _close(self, code: int, reason: str) -> None:
        if self.stalled:
            await asyncio.Event().wait()
        self.closed = code

    def _abort(self) -> None:
        self.aborted = True


def frame(
    first: int, last: int, *, stream: str = "a@depth", generation: str = "one"
) -> dict[str, Any]:
    return {
        "type": "feed.frame", "generation": generation, "stream": stream, "first": first,
        "last": last, "text": f"[{first},{last}]",
    }  # fmt: skip


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Setting:
    def __init__(self) -> None:
        self.layer = Layer()
        self.broker = Broker(self.layer)

    async def socket(self, *streams: str, combined: bool = False) -> Socket:
        socket = Socket(combined=combined)
        self.broker.pool.add(socket.connection)
        for stream in streams:
            await self.broker.join(socket.connection, stream, stream)
        return socket

    async def receive(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self.layer.messages.put_nowait(message)
        await settled()


@pytest.fixture
async def setting() -> Setting:
    return Setting()


async def test_a_group_is_joined_once_and_left_with_the_last(setting: Setting) -> None:
    sockets = [await setting.socket("a@depth") for _ in range(3)]
    assert setting.layer.joined == ["feed.a.depth"]
    for socket in sockets[:2]:
        setting.broker.leave(socket.connection, "a@depth", "a@depth")
    await settled()
    assert setting.layer.joined == ["feed.a.depth"]
    setting.broker.leave(sockets[2].connection, "a@depth", "a@depth")
    await settled()
    assert setting.layer.joined == []


async def test_coming_back_at_once_keeps_the_group(setting: Setting) -> None:
    socket = await setting.socket("a@depth")
    setting.broker.leave(socket.connection, "a@depth", "a@depth")
    await setting.broker.join(socket.connection, "a@depth", "a@depth")
    await settled()
    assert setting.layer.joined == ["feed.a.depth"]


@pytest.mark.parametrize(
    ("messages", "received"),
    [
        ([(5, 7), (8, 8)], ["[5,7]", "[8,8]"]),
        ([(5, 7), (5, 7), (8, 8), (5, 7)], ["[5,7]", "[8,8]"]),
        ([(0, 3), (0, 9), (0, 4)], ["[0,3]", "[0,9]"]),
    ],
)
async def test_repetitions_are_dropped(
    setting: Setting, messages: list[tuple[int, int]], received: list[str]
) -> None:
    socket = await setting.socket("a@depth")
    await setting.receive(*(frame(*numbers) for numbers in messages))
    assert socket.received == received
    assert socket.closed is None


@pytest.mark.parametrize("later", [frame(9, 9), frame(8, 8, generation="two")])
async def test_a_gap_closes_the_streams_sockets(setting: Setting, later: dict[str, Any]) -> None:
    socket, other = await setting.socket("a@depth"), await setting.socket("b@depth")
    await setting.receive(frame(5, 7), frame(1, 1, stream="b@depth"))
    await setting.receive(later)
    assert (socket.closed, socket.received) == (1012, ["[5,7]"])
    assert other.closed is None
    again = await setting.socket("a@depth")
    await setting.receive({**later, "first": later["last"] + 1, "last": later["last"] + 1})
    assert len(again.received) == 1


async def test_a_lost_connection_closes_all(setting: Setting) -> None:
    sockets = [await setting.socket("a@depth"), await setting.socket()]
    await setting.receive({"type": LOST})
    assert [socket.closed for socket in sockets] == [1012, 1012]


async def test_combined_streams_are_named(setting: Setting) -> None:
    raw = await setting.socket("a@depth")
    combined = await setting.socket("a@depth", combined=True)
    await setting.receive(frame(1, 2))
    assert raw.received == ["[1,2]"]
    assert combined.received == ['{"stream":"a@depth","data":[1,2]}']


@pytest.mark.parametrize("left", ["a@depth", "a@depth@1000ms"])
async def test_by_two_names_a_stream_is_left_with_the_last(setting: Setting, left: str) -> None:
    names = ["a@depth", "a@depth@1000ms"]
    plain, combined = await setting.socket(), await setting.socket(combined=True)
    for socket in (plain, combined):
        for name in names:
            await setting.broker.join(socket.connection, name, "a@depth")
    await setting.receive(frame(1, 2))
    for socket in (plain, combined):
        setting.broker.leave(socket.connection, left, "a@depth")
    await setting.receive(frame(3, 4))
    (kept,) = set(names) - {left}
    assert plain.received == ["[1,2]", "[3,4]"]
    assert combined.received == [
        *(f'{{"stream":"{name}","data":[1,2]}}' for name in names),
        f'{{"stream":"{kept}","data":[3,4]}}',
    ]
    for socket in (plain, combined):
        setting.broker.leave(socket.connection, kept, "a@depth")
    await settled()
    assert setting.layer.joined == []


async def test_a_stalled_reader_is_dropped_and_others_see_nothing_of_it(setting: Setting) -> None:
    stalled, other = await setting.socket("a@depth"), await setting.socket("a@depth")
    stalled.stalled = True
    for number in range(1, MAX_WAITING + 10):
        await setting.receive(frame(number, number))
    assert len(other.received) == MAX_WAITING + 9
    assert other.closed is None
    assert not stalled.connection._waiting, "nothing is kept for whoever is dropped"
    closing = stalled.connection._closing
    assert closing is not None
    await closing
    assert stalled.aborted


async def test_what_waits_is_bounded_in_size(setting: Setting) -> None:
    socket = await setting.socket()
    socket.stalled = True
    for _ in range(5):
        socket.connection.offer(Outgoing("x" * 900_000))
        await settled()
    assert socket.connection._closing is not None


async def test_what_waits_is_sent_before_what_comes_later(setting: Setting) -> None:
    socket = await setting.socket()
    socket.connection.offer(Outgoing("one"))
    socket.behind = True
    socket.connection.offer(Outgoing("two"))
    socket.behind = False
    socket.connection.offer(Outgoing("three"))
    await settled()
    socket.connection.offer(Outgoing("four"))
    assert socket.received == ["one", "two", "three", "four"]


async def test_requests_are_counted(setting: Setting) -> None:
    socket = await setting.socket()
    asked = [socket.connection.may_ask() for _ in range(REQUESTS_AT_ONCE + 5)]
    assert all(asked[:REQUESTS_AT_ONCE])
    assert not any(asked[REQUESTS_AT_ONCE + 1 :])
