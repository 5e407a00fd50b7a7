"""Recovery is execution: the journal's commands are applied again and must do the same."""

from collections.abc import Iterable

from engine.core.digest import GENESIS, encode_events, roll
from engine.core.engine import CORE_VERSION, Engine
from engine.core.events import Event
from engine.journal import EncodedEntry


class JournalBroken(Exception):
    """The journal cannot be followed; the message says where and what to do."""


class Replica:
    """An engine that follows the journal: `sequence` and `digest` are of the last entry applied."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.sequence = 0
        self.digest = GENESIS

    def follow(self, entries: Iterable[EncodedEntry]) -> None:
        """Apply entries in order. Raises JournalBroken at the first that does not fit."""
        for entry in entries:
            self.apply(entry)

    def apply(self, encoded: EncodedEntry) -> None:
        if encoded.sequence != self.sequence + 1:
            raise JournalBroken(
                f"entry {encoded.sequence} follows entry {self.sequence}: the journal has a gap. "
                "Restore the engine's Redis from a backup that holds the missing entries."
            )
        if encoded.core != CORE_VERSION:
            raise JournalBroken(
                f"entry {encoded.sequence} was written by core version {encoded.core}, this is "
                f"version {CORE_VERSION}. Run the version that wrote it."
            )
        events = encode_events(self._replay(encoded))
        digest = roll(self.digest, events)
        if digest != encoded.digest or events != encoded.events:
            raise JournalBroken(
                f"entry {encoded.sequence} does not replay to the events it holds. "
                "The journal was altered, or the core is not deterministic: keep both for analysis."
            )
        self.sequence, self.digest = encoded.sequence, digest

    def _replay(self, encoded: EncodedEntry) -> list[list[Event]]:
        due = self.engine.advance(encoded.time)
        return [due, *(self.engine.apply(command)[1] for command in encoded.decode_commands())]
