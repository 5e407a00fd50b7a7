"""One socket of a client, and what waits to be sent to it.

Nothing is ever skipped: a reader who is too slow for the queue is disconnected, and so learns that
it has to begin anew. What waits is bounded in number and in bytes.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from realtime.outgoing import Outgoing

MAX_WAITING: Final = 2_000
MAX_WAITING_CHARACTERS: Final = 2_000_000
CLOSE_S: Final = 1.0
"""How long a client may take to accept that the socket closes."""

REQUESTS_PER_SECOND: Final = 10
REQUESTS_AT_ONCE: Final = 50

TOO_SLOW: Final = 1008
TOO_MANY_REQUESTS: Final = 1008
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
SIGNED_OUT: Final = 4001
"""Of our own: the session that a `user` stream was opened with has ended."""

_log = logging.getLogger(__name__)


class ClientConnection:
    """`write` tells whether it could send at once; `send` and `close` wait until they have, and
    `abort` drops the socket."""

    session: Final = ""

    def __init__(
        self,
        write: Callable[[Outgoing], bool],
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int, str], Awaitable[None]],
        abort: Callable[[], None],
        *,
        combined: bool,
    ) -> None:
        self._write = write
        self._send = send
        self._close = close
        self._abort = abort
        self.combined = combined
        """Whether messages are wrapped as `{"stream": ..., "data": ...}`."""
        self._waiting: deque[Outgoing] = deque()
        self._characters = 0
        self._more = asyncio.Event()
        self._ended = False
        self._allowance = float(REQUESTS_AT_ONCE)
        self._asked_at = time.monotonic()
        self._writer = asyncio.create_task(self._write_waiting())
        self._closing: asyncio.Task[None] | None = None

    def offer(self, message: Outgoing, number: int = 0) -> None:
        """Send a message, after what waits; one too many ends the connection. Its number is of no
        interest here."""
        if self._ended or (not self._waiting and self._write(message)):
            return
        length = len(message.text)
        if len(self._waiting) >= MAX_WAITING or (
            self._waiting and self._characters + length > MAX_WAITING_CHARACTERS
        ):
            self.end(TOO_SLOW, "too slow")
            return
        self._waiting.append(message)
        self._characters += length
        self._more.set()

    def may_ask(self) -> bool:
        """Count a request of the client; False where it sends too many."""
        now = time.monotonic()
        earned = (now - self._asked_at) * REQUESTS_PER_SECOND
        self._allowance = min(self._allowance + earned, float(REQUESTS_AT_ONCE)) - 1
        self._asked_at = now
        return self._allowance >= 0

    def end(self, code: int, reason: str) -> None:
        """Close the socket; nothing that waits is sent any more."""
        if self._ended:
            return
        self.forget()
        self._closing = asyncio.create_task(self._finish(code, reason))

    async def closed(self) -> None:
        """Returns when what `end` began is done, which takes CLOSE_S at most."""
        if self._closing is not None:
            await self._closing

    def forget(self) -> None:
        """The socket is gone, or is about to."""
        self._ended = True
        self._writer.cancel()
        self._waiting.clear()
        self._characters = 0

    async def _write_waiting(self) -> None:
        try:
            while True:
                await self._more.wait()
                self._more.clear()
                while self._waiting:
                    message = self._waiting[0]
                    await self._send(message.text)
                    self._waiting.popleft()
                    self._characters -= len(message.text)
        except Exception as error:
            # The client is gone; the consumer is told so by the server.
            _log.debug("a client is gone: %s", error)
            self._ended = True

    async def _finish(self, code: int, reason: str) -> None:
        with suppress(Exception):
            # Where the client does not read, not even the closing frame gets through.
            await asyncio.wait_for(self._close(code, reason), CLOSE_S)
            return
        self._abort()
