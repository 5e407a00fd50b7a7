"""Between the Channels groups and the sockets of this process.

The process joins a group once, however many of its sockets want it. A message costs one parse and
one send a socket. What is not newer than the last message forwarded is dropped (the publisher
repeats what it is not sure to have sent); where one is missing, the stream's sockets are closed,
and where the layer lost its connection, all are. Clients then begin anew.
"""

import asyncio
import logging
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

import redis
from channels.layers import get_channel_layer

from engine.publisher.streams import group_of
from realtime.client_connection import SERVICE_RESTART, SIGNED_OUT
from realtime.connection_pool import ConnectionPool
from realtime.layer import LOST
from realtime.outgoing import Outgoing
from realtime.sessions import SESSION_ENDED

RETRY_S: Final = 0.2

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """A socket, or what speaks for it."""

    @property
    def combined(self) -> bool:
        """Whether messages are wrapped as `{"stream": ..., "data": ...}`."""

    @property
    def session(self) -> str:
        """By which right it listens to an account's stream (see `sessions.py`); else empty."""

    def offer(self, message: Outgoing, number: int) -> None:
        """`number` is the last that the message covers."""

    def end(self, code: int, reason: str) -> None: ...


class Subscribers:
    """The local sockets of one stream, and the last message that they were sent."""

    def __init__(self) -> None:
        self.names: dict[Listener, tuple[str, ...]] = {}
        """What each of them calls the stream: some streams have two names, and may be wanted by
        both."""
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

    async def join(self, listener: Listener, name: str, stream: str) -> None:
        """Returns once whatever is sent from now on arrives. Raises redis.RedisError.

        Who joins by a second name is sent messages once, or, wrapped, once under each.
        """
        subscribers = self._streams.get(stream)
        if subscribers is None:
            subscribers = self._streams[stream] = Subscribers()
        names = subscribers.names.get(listener, ())
        if name not in names:
            subscribers.names[listener] = (*names, name)
        async with self._joining:
            if not self._channel:
                self._channel = await self._layer.new_channel()
                self._receiver = asyncio.create_task(self._receive())
            # Does nothing where the group is joined already.
            await self._layer.group_add(group_of(stream), self._channel)

    def leave(self, listener: Listener, name: str, stream: str) -> None:
        """Where it has joined by another name too, it goes on under that one."""
        subscribers = self._streams.get(stream)
        if subscribers is None:
            return
        names = tuple(n for n in subscribers.names.pop(listener, ()) if n != name)
        if names:
            subscribers.names[listener] = names
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
        for listener in tuple(subscribers.names) if subscribers is not None else ():
            if listener.session == session:
                listener.end(SIGNED_OUT, "signed out")

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
        plain = Outgoing(text)
        combined: dict[str, Outgoing] = {}
        for listener, names in tuple(subscribers.names.items()):
            if not listener.combined:
                listener.offer(plain, last)
                continue
            for name in names:
                if name not in combined:
                    combined[name] = Outgoing(f'{{"stream":"{name}","data":{text}}}')
                listener.offer(combined[name], last)

    def _lose(self, stream: str, message: dict[str, Any]) -> None:
        """This message does not follow on the last one. It begins anew for whoever joins next."""
        _log.warning("closing the sockets of %s: a message is missing", stream)
        lost, anew = self._streams[stream], Subscribers()
        anew.generation, anew.last = message["generation"], message["last"]
        self._streams[stream] = anew
        for listener in lost.names:
            listener.end(SERVICE_RESTART, "begin anew")


_brokers: WeakKeyDictionary[asyncio.AbstractEventLoop, Broker] = WeakKeyDictionary()


def process_broker() -> Broker:
    """The broker of this process, which runs one event loop."""
    loop = asyncio.get_running_loop()
    broker = _brokers.get(loop)
    if broker is None:
        broker = _brokers[loop] = Broker(get_channel_layer())
    return broker
