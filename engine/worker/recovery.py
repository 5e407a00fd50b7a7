"""Recovery is execution: the journal's commands are applied again and must do the same."""

from collections.abc import Iterable

from engine.core.digest import GENESIS, encode_events, roll
from engine.core.engine import CORE_VERSION, Engine
from engine.core.events import Event
from engine.core.replies import Reply
from engine.journal import EncodedEntry
from engine.wire import decode_origins
from engine.worker.batch import encode_replies


class JournalBroken(Exception):
    """The journal cannot be followed; the message says where and what to do."""


class JournalGap(JournalBroken):
    """Entries are missing between what is known and what stands in the journal."""


class Replica:
    """An engine that follows the journal: `sequence` and `digest` are of the last entry applied."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.sequence = 0
        self.digest = GENESIS
        self._last: tuple[EncodedEntry, list[Reply]] | None = None

    def follow(self, entries: Iterable[EncodedEntry]) -> None:
        """Apply entries in order. Raises JournalBroken at the first that does not fit."""
        for entry in entries:
            self.apply(entry)

    def apply(self, encoded: EncodedEntry) -> None:
        if encoded.sequence != self.sequence + 1:
            raise JournalGap(
                f"entry {encoded.sequence} follows entry {self.sequence}: the journal has a gap. "
                "Restore the engine's Redis from a backup that holds the missing entries."
            )
        if encoded.core != CORE_VERSION:
            raise JournalBroken(
                f"entry {encoded.sequence} was written by core version {encoded.core}, this is "
                f"version {CORE_VERSION}. Run the version that wrote it."
            )
        replies, event_lists = self._replay(encoded)
        events = encode_events(event_lists)
        digest = roll(self.digest, events)
        if digest != encoded.digest or events != encoded.events:
            raise JournalBroken(
                f"entry {encoded.sequence} does not replay to the events it holds. "
                "The journal was altered, or the core is not deterministic: keep both for analysis."
            )
        self.sequence, self.digest = encoded.sequence, digest
        self._last = encoded, replies

    def last_replies(self) -> dict[str, bytes]:
        """The replies to the last entry, encoded, by client."""
        if self._last is None:
            return {}
        entry, replies = self._last
        # An archived entry comes without origins: nobody has waited for it for long.
        answers = zip(decode_origins(entry.origins), replies, strict=False)
        known = ((origin, reply) for origin, reply in answers if origin is not None)
        return encode_replies(entry.sequence, entry.time, known)

    def _replay(self, encoded: EncodedEntry) -> tuple[list[Reply], list[list[Event]]]:
        replies: list[Reply] = []
        events = [self.engine.advance(encoded.time)]
        for command in encoded.decode_commands():
            reply, caused = self.engine.apply(command)
            replies.append(reply)
            events.append(caused)
        return replies, events
