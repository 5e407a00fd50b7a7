"""What the sockets of every endpoint have in common: the way to their client."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from uvicorn.protocols.utils import ClientDisconnected

from exchange_site.threads import share_threads
from realtime.client_connection import INTERNAL_ERROR, ClientConnection
from realtime.outgoing import ServerSide

_log = logging.getLogger(__name__)


class SocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    # The broker alone speaks with the channel layer: a channel of each socket's own would cost a
    # subscription each.
    channel_layer_alias = None

    _connection: ClientConnection
    """Is there once the socket is accepted."""

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """As Channels does it, less what only others need: waiting for a channel as well, and
        closing old database connections in a thread before each frame. What asks the database does
        so on a thread, and leaves no connection behind (`exchange_site/threads.py`).

        However the socket ends, `disconnect` is called: nobody else knows what it has begun. An
        error that nothing expected ends this socket alone, with INTERNAL_ERROR."""
        self.scope, self.base_send, self.channel_layer = scope, send, None
        share_threads()
        code = INTERNAL_ERROR
        try:
            code = await self._serve_until_the_end(receive)
        except ClientDisconnected:
            pass  # before it was accepted
        except Exception:
            _log.exception("a socket is closed, for its consumer failed")
            connection = getattr(self, "_connection", None)
            if connection is not None:
                connection.end(INTERNAL_ERROR, "internal error")
                await connection.closed()
        finally:
            await self.disconnect(code)

    async def _serve_until_the_end(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> int:
        """The code with which the socket was closed."""
        while True:
            message = await receive()
            if message["type"] == "websocket.receive":  # as nearly all are
                await self.receive(message.get("text"), message.get("bytes"))
            elif message["type"] == "websocket.connect":
                await self.connect()
            else:
                return int(message["code"])

    def new_connection(self, *, combined: bool = False) -> ClientConnection:
        server = ServerSide(self.base_send)
        return ClientConnection(
            server.write, self._send_text, self._close_socket, server.abort, combined=combined
        )

    async def _send_text(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    async def _close_socket(self, code: int, reason: str) -> None:
        await self.base_send({"type": "websocket.close", "code": code, "reason": reason})
