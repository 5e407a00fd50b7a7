"""What the sockets of every endpoint have in common: the way to their client."""

from collections.abc import Awaitable, Callable
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from exchange_site.threads import share_threads
from realtime.client_connection import ClientConnection
from realtime.outgoing import ServerSide


class SocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    # The broker alone speaks with the channel layer: a channel of each socket's own would cost a
    # subscription each.
    channel_layer_alias = None

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """As Channels does it, less what only others need: waiting for a channel as well, and
        closing old database connections in a thread before each frame. What asks the database does
        so on a thread, and leaves no connection behind (`exchange_site/threads.py`)."""
        self.scope, self.base_send, self.channel_layer = scope, send, None
        share_threads()
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.receive":  # as nearly all are
                    await self.receive(message.get("text"), message.get("bytes"))
                else:
                    await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            pass

    def new_connection(self, *, combined: bool = False) -> ClientConnection:
        server = ServerSide(self.base_send)
        return ClientConnection(
            server.write, self._send_text, self._close_socket, server.abort, combined=combined
        )

    async def _send_text(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    async def _close_socket(self, code: int, reason: str) -> None:
        await self.base_send({"type": "websocket.close", "code": code, "reason": reason})
