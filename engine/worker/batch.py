"""One batch: messages in, one journal entry and the replies out."""

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from engine.core.answers import answer
from engine.core.commands import Command, Malformed
from engine.core.digest import encode_events, roll
from engine.core.engine import CORE_VERSION, Engine
from engine.core.events import Event
from engine.core.queries import GetBalances, GetDepth, GetOpenOrders, GetOrder, GetState
from engine.core.replies import Reply
from engine.journal import EncodedEntry
from engine.wire import (
    MAX_MESSAGE_BYTES,
    Replies,
    decode_address,
    decode_envelope,
    encode,
)

_QUERIES: Final = (GetOrder, GetOpenOrders, GetBalances, GetDepth, GetState)
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Batch:
    """Applies messages at one time, and keeps what the journal and the clients must hear of it."""

    def __init__(self, engine: Engine, sequence: int, now: int) -> None:
        """`sequence` is the journal's tail before this batch."""
        self._engine = engine
        self._sequence = sequence
        self._now = now
        self._commands: list[Command] = []
        self._events: list[list[Event]] = [engine.advance(now)]
        self._replies: defaultdict[str, list[tuple[int, Reply]]] = defaultdict(list)

    def apply_all(self, messages: Sequence[bytes]) -> None:
        for raw in messages:
            self._apply(raw)

    def _apply(self, raw: bytes) -> None:
        try:
            if len(raw) > MAX_MESSAGE_BYTES:
                raise msgspec.ValidationError("too long")
            envelope = decode_envelope(raw)
        except _UNREADABLE:
            self._apply_malformed(raw)
            return
        message = envelope.message
        if isinstance(message, _QUERIES):
            reply = answer(self._engine, message, self._sequence + self.has_news)
        else:
            reply = self._apply_command(message)
        self._replies[envelope.reply_to].append((envelope.request_id, reply))

    def _apply_command(self, command: Command) -> Reply:
        reply, events = self._engine.apply(command)
        self._commands.append(command)
        self._events.append(events)
        return reply

    def _apply_malformed(self, raw: bytes) -> None:
        """Journal that something was refused, and answer if it can be seen to whom."""
        reply = self._apply_command(Malformed(len(raw), sha256(raw).hexdigest()))
        try:
            address = decode_address(raw[:MAX_MESSAGE_BYTES])
        except _UNREADABLE:
            return
        self._replies[address.reply_to].append((address.request_id, reply))

    @property
    def has_news(self) -> bool:
        """Is there anything to journal?"""
        return bool(self._commands or self._events[0])

    def entry(self, epoch: int, digest: str) -> EncodedEntry | None:
        """The journal entry, with the digest rolled on from `digest`; None without news."""
        if not self.has_news:
            return None
        events = encode_events(self._events)
        return EncodedEntry(
            sequence=self._sequence + 1,
            epoch=epoch,
            core=CORE_VERSION,
            time=self._now,
            commands=encode(self._commands),
            events=events,
            digest=roll(digest, events),
        )

    def replies(self) -> dict[str, bytes]:
        """Encoded replies by client."""
        tail = self._sequence + self.has_news
        return {client: encode(Replies(tail, replies)) for client, replies in self._replies.items()}
