"""Messages on their way out: each becomes a frame once, for however many sockets.

ASGI takes a text, and the server makes a frame of it for every socket anew, in a task that has to
be woken for it. Unmasked and uncompressed, those frames are one and the same; so where the server's
protocol is known, it is handed the frame itself. And what a socket is sent in one turn of the event
loop leaves in one piece: to hand anything to the system costs more than to make it.
"""

from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

MAX_GATHERED_BYTES: Final = 64 * 1024
"""What leaves at once: as much as the transport takes before it calls the client slow."""


class Outgoing:
    __slots__ = ("_frame", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        if self._frame is None:
            self._frame = Frame(Opcode.TEXT, self.text.encode()).serialize(mask=False)
        return self._frame


class ServerSide:
    """What of a socket ASGI does not tell; `send` is the server's, as ASGI gave it."""

    def __init__(self, send: Any) -> None:
        protocol = getattr(send, "__self__", None)
        self._protocol = protocol if isinstance(protocol, WebSocketsSansIOProtocol) else None
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0

    def write(self, message: Outgoing) -> bool:
        """Whether it was handed over: not where the client is behind, or where the server has no
        such way. Then `send` has to be awaited."""
        protocol = self._protocol
        if (
            protocol is None
            or not protocol.writable.is_set()
            or protocol.conn.state is not OPEN
            or protocol.transport.is_closing()
        ):
            self._flush()  # before what is sent the other way
            return False
        frame = message.frame
        if not self._gathered:
            protocol.loop.call_soon(self._flush)
        self._gathered.append(frame)
        self._gathered_bytes += len(frame)
        if self._gathered_bytes >= MAX_GATHERED_BYTES:
            self._flush()
        return True

    def _flush(self) -> None:
        gathered, self._gathered, self._gathered_bytes = self._gathered, [], 0
        protocol = self._protocol
        if gathered and protocol is not None and not protocol.transport.is_closing():
            protocol.transport.write(b"".join(gathered))

    def abort(self) -> None:
        """Drop the connection. A client that does not read accepts no closing frame either, and
        would hold its socket for as long as it likes."""
        if self._protocol is not None:
            self._protocol.transport.abort()
