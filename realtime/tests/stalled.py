"""A reader that stalls beside one that reads, while a stream carries thirty megabytes."""

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from exchange_site.servers.addresses import valkey_socket
from exchange_site.tests.running import RunningExchange
from realtime.layer import FeedChannelLayer
from realtime.tests.sockets import PATIENCE_S, StreamClient, eventually, socket_url

STREAM: Final = "zzzzzz@trade"
GROUP: Final = "feed.zzzzzz.trade"
"""Of no market: nothing but this is sent there."""

ROUNDS: Final = 30
MESSAGES_A_ROUND: Final = 100
CHARACTERS: Final = 10_000


class Load(NamedTuple):
    """Resident bytes of the web process, and messages that the other reader got."""

    before: int
    highest: int
    received: int


async def load_beside_a_stalled_reader(exchange: RunningExchange) -> Load:
    """Send everything, see it all arrive at one reader, and the other one dropped."""
    layer = FeedChannelLayer(hosts=[f"unix://{valkey_socket(exchange.home)}"])
    web = exchange.process_of("exchange_site.asgi:application")
    with _stalled_reader(exchange.url) as stalled:
        async with connect(socket_url(exchange.url, f"/ws/{STREAM}")) as reading:
            client = StreamClient(reading)
            await client.ask("LIST_SUBSCRIPTIONS")  # by then the stream is joined
            before = highest = _memory_of(web)
            received = 0
            for first in range(1, ROUNDS * MESSAGES_A_ROUND, MESSAGES_A_ROUND):
                for number in range(first, first + MESSAGES_A_ROUND):
                    await layer.group_send(GROUP, _frame(number))
                for _ in range(MESSAGES_A_ROUND):
                    await asyncio.wait_for(reading.recv(), PATIENCE_S)  # no Binance frame
                    received += 1
                highest = max(highest, _memory_of(web))
        await eventually(lambda: _is_dropped(stalled), "the server has dropped the socket")
    await layer.flush()
    return Load(before, highest, received)


@contextmanager
def _stalled_reader(url: str) -> Iterator[socket.socket]:
    """Follows the stream, and reads nothing of it."""
    port = urlsplit(url).port
    with socket.create_connection(("127.0.0.1", port)) as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.sendall(
            f"GET /ws/{STREAM} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert stalled.recv(12) == b"HTTP/1.1 101"
        yield stalled


def _frame(number: int) -> dict[str, object]:
    return {
        "type": "feed.frame", "generation": "test", "stream": STREAM, "first": number,
        "last": number, "text": json.dumps("x" * CHARACTERS),
    }  # fmt: skip


def _memory_of(pid: int) -> int:
    """Resident bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def _is_dropped(client: socket.socket) -> bool:
    """Whether the server has closed its end. (What its kernel still holds may stay for long.)"""
    ends = (f":{client.getpeername()[1]:04X}", f":{client.getsockname()[1]:04X}")
    established = "01"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if (local[-5:], remote[-5:]) == ends:
            return state != established
    return True
