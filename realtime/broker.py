"""Between the Channels groups and the sockets of this process.

The process joins a group once, however many of its sockets want it. A message costs one parse and
one send a socket. What is not newer than the last message forwarded is dropped (the publisher
repeats what it is not sure to have sent); where one is missing, the stream's sockets are closed,
and where the layer lost its connection, all are. Clients then begin anew.
"""

import asyncio
import logging
from typing import Any, Final

import redis

from engine.publisher.streams import group_of
from realtime.client_connection import SERVICE_RESTART, SIGNED_OUT, ClientConnection
from realtime.connection_pool import ConnectionPool
from realtime.layer import LOST
from realtime.sessions import SESSION_ENDED

RETRY_S: Final = 0.2

_log = logging.getLogger(__name__)


class Subscribers:
    """The local sockets of one stream, and the last message that they were sent."""

    def __init__(self) -> None:
        self.names: dict[ClientConnection, str] = {}
        """What each of them calls the stream."""
        self.generation = ""
        self.last = 0


class Broker:
    """One a process, in its event loop. `layer` is the channel layer."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self.pool = ConnectionPool()
        self._streams: dict[str, Subscribers] = {}
        self._channel = ""
        self._joining = asyncio.Lock()
        self._receiver: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def join(self, connection: ClientConnection, name: str, stream: str) -> None:
        """Returns once whatever is sent from now on arrives. Raises redis.RedisError."""
        subscribers = self._streams.get(stream)
        if subscribers is None:
            subscribers = self._streams[stream] = Subscribers()
        subscribers.names[connection] = name
        async with self._joining:
            if not self._channel:
                self._channel = await self._layer.new_channel()
                self._receiver = asyncio.create_task(self._receive())
            # Does nothing where the group is joined already.
            await self._layer.group_add(group_of(stream), self._channel)

    def leave(self, connection: ClientConnection, stream: str) -> None:
        subscribers = self._streams.get(stream)
        if subscribers is None:
            return
        subscribers.names.pop(connection, None)
        if not subscribers.names:
            del self._streams[stream]
            task = asyncio.create_task(self._leave_group(stream))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _leave_group(self, stream: str) -> None:
        async with self._joining:
            if stream not in self._streams:  # else somebody has come back meanwhile
                await self._layer.group_discard(group_of(stream), self._channel)

    async def _receive(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self._channel)
                if message["type"] == LOST:
                    self.lose_all()
                elif message["type"] == SESSION_ENDED:
                    self.end_session(message["stream"], message["session"])
                else:
                    self.forward(message)
            except redis.RedisError:
                self.lose_all()
                await asyncio.sleep(RETRY_S)
            except Exception:
                _log.exception("a message could not be forwarded")
                self.lose_all()

    def lose_all(self) -> None:
        """Messages may be missing on any stream: every socket has to begin anew."""
        if len(self.pool):
            _log.warning("closing %d sockets: messages were lost", len(self.pool))
        self._streams.clear()
        self.pool.end_all(SERVICE_RESTART, "begin anew")

    def end_session(self, stream: str, session: str) -> None:
        """Close the sockets that follow the account's stream by this session."""
        subscribers = self._streams.get(stream)
        for connection in tuple(subscribers.names) if subscribers is not None else ():
            if connection.session == session:
                connection.end(SIGNED_OUT, "signed out")

    def forward(self, message: dict[str, Any]) -> None:
        stream = message["stream"]
        subscribers = self._streams.get(stream)
        if subscribers is None:
            return
        first, last = message["first"], message["last"]
        if subscribers.generation == message["generation"]:
            if last <= subscribers.last:
                return
            if first and first != subscribers.last + 1:
                self._lose(stream, message)
                return
        elif subscribers.generation:
            self._lose(stream, message)
            return
        subscribers.generation, subscribers.last = message["generation"], last
        text = message["text"]
        combined: dict[str, str] = {}
        for connection, name in tuple(subscribers.names.items()):
            if not connection.combined:
                connection.offer(text)
                continue
            if name not in combined:
                combined[name] = f'{{"stream":"{name}","data":{text}}}'
            connection.offer(combined[name])

    def _lose(self, stream: str, message: dict[str, Any]) -> None:
        """This message does not follow on the last one. It begins anew for whoever joins next."""
        _log.warning("closing the sockets of %s: a message is missing", stream)
        lost, anew = self._streams[stream], Subscribers()
        anew.generation, anew.last = message["generation"], message["last"]
        self._streams[stream] = anew
        for connection in lost.names:
            connection.end(SERVICE_RESTART, "begin anew")
