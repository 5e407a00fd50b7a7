"""One batch: messages in, one journal entry and the replies out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, cast

import msgspec

from engine.core.answers import answer
from engine.core.commands import Command, Malformed, Poison
from engine.core.digest import encode_events, roll
from engine.core.engine import CORE_VERSION, Engine
from engine.core.events import Event
from engine.core.queries import GetBalances, GetDepth, GetOpenOrders, GetOrder, GetState, Query
from engine.core.replies import Reply
from engine.journal import EncodedEntry
from engine.wire import (
    MAX_MESSAGE_BYTES,
    Address,
    Origins,
    Replies,
    decode_address,
    decode_message,
    encode,
    open_envelope,
)

FULL_AT_EVENTS: Final = 50_000
"""A batch with so many events takes no more messages: one command brings at most some ten thousand,
and an entry must stay far below the 512 MB that Redis takes in one piece."""

_QUERIES: Final = frozenset((GetOrder, GetOpenOrders, GetBalances, GetDepth, GetState))
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class Batch:
    """Applies messages at one time, and keeps what the journal and the clients must hear of it."""

    def __init__(self, engine: Engine, sequence: int, now: int) -> None:
        """`sequence` is the journal's tail before this batch."""
        self._engine = engine
        self._sequence = sequence
        self.time = now
        self._commands: list[bytes] = []
        """As they came: their text is not written anew."""
        self._origins: Origins = []
        self._events: list[list[Event]] = []
        self._answers: list[tuple[Address, Reply]] = []
        self._event_count = 0
        self.applying: bytes | None = None
        """The message that is being applied; where that raises, it is the one to blame."""
        deadline = engine.next_deadline()
        if deadline is not None and deadline <= now:
            self._begin()

    def _begin(self) -> None:
        """From here on there is something to journal. Until then the engine is not touched: what
        is not journalled must leave no trace in it."""
        self._events.append(self._engine.advance(self.time))

    def apply_all(
        self, messages: Sequence[bytes], condemned: Callable[[bytes], str | None] | None = None
    ) -> int:
        """Apply them in order; instead of those that are `condemned`, by a name, refuse them.

        Returns how many were applied: those that would not fit the entry are left.
        """
        for applied, raw in enumerate(messages):
            self.applying = None
            if self._event_count >= FULL_AT_EVENTS:
                return applied
            if condemned is not None and (name := condemned(raw)) is not None:
                self._apply_instead(raw, Poison(len(raw), name))
                continue
            address, text = open_envelope(raw)
            try:
                origin = decode_address(address)
                message = decode_message(text) if len(raw) <= MAX_MESSAGE_BYTES else None
            except _UNREADABLE:
                message = None
            if message is None:
                self._apply_instead(raw, Malformed(len(raw), sha256(raw).hexdigest()))
            elif type(message) in _QUERIES:
                self._answer(raw, cast(Query, message), origin)
            else:
                self._apply_command(raw, cast(Command, message), text, origin)
        self.applying = None
        return len(messages)

    def _apply_instead(self, raw: bytes, refused: Malformed | Poison) -> None:
        """Who sent the message is answered, if that much of it can be read."""
        address, _ = open_envelope(raw)
        try:
            origin = decode_address(address)
        except _UNREADABLE:
            origin = None
        self._apply_command(raw, refused, encode(refused), origin)

    def _answer(self, raw: bytes, query: Query, origin: Address) -> None:
        self.applying = raw
        reply = answer(self._engine, query, self._sequence + self.has_news)
        self._answers.append((origin, reply))

    def _apply_command(
        self, raw: bytes, command: Command, text: bytes, origin: Address | None
    ) -> None:
        if not self._events:
            self._begin()
        self.applying = raw
        reply, events = self._engine.apply(command)
        self._commands.append(text)
        self._origins.append(origin)
        self._events.append(events)
        self._event_count += len(events)
        if origin is not None:
            self._answers.append((origin, reply))

    @property
    def has_news(self) -> bool:
        """Is there anything to journal?"""
        return bool(self._events)

    def entry(self, epoch: int, digest: str) -> EncodedEntry | None:
        """The journal entry, with the digest rolled on from `digest`; None without news."""
        if not self.has_news:
            return None
        commands = b"[%b]" % b",".join(self._commands)
        events = encode_events(self._events)
        return EncodedEntry(
            sequence=self._sequence + 1,
            epoch=epoch,
            core=CORE_VERSION,
            time=self.time,
            commands=commands,
            events=events,
            digest=roll(digest, commands, events),
            origins=encode(self._origins),
        )

    def replies(self) -> dict[str, bytes]:
        """Encoded replies by client."""
        return encode_replies(self._sequence + self.has_news, self.time, self._answers)


def encode_replies(
    sequence: int, time: int, answers: Iterable[tuple[Address, Reply]]
) -> dict[str, bytes]:
    """One message per client process, its replies in order."""
    clients: defaultdict[str, list[tuple[int, Reply]]] = defaultdict(list)
    for origin, reply in answers:
        clients[origin.reply_to].append((origin.request_id, reply))
    return {name: encode(Replies(sequence, time, replies)) for name, replies in clients.items()}
