"""Messages on their way out: each becomes a frame once, for however many sockets.

ASGI takes a text, and the server makes a frame of it for every socket anew, in a task that has to
be woken for it. Unmasked and uncompressed, those frames are one and the same; so where the server's
protocol is known, it is handed the frame itself.
"""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN


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
            return False
        protocol.transport.write(message.frame)
        return True

    def abort(self) -> None:
        """Drop the connection. A client that does not read accepts no closing frame either, and
        would hold its socket for as long as it likes."""
        if self._protocol is not None:
            self._protocol.transport.abort()
