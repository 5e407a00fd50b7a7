"""Recovery is execution: the journal's commands are applied again and must do the same."""

from collections.abc import Iterable

from engine.core.commands import Command
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
    """An engine that follows the journal.

    `sequence`, `digest` and `epoch` are of the last entry applied, `commands` counts those applied.
    """

    def __init__(self) -> None:
        self.engine = Engine()
        self.sequence = 0
        self.digest = GENESIS
        self.epoch = 0
        self.commands = 0
        self._last: tuple[EncodedEntry, list[Reply]] | None = None
        self._restored_replies: dict[str, bytes] = {}

    def stand_at(
        self, sequence: int, *, digest: str, epoch: int, replies: dict[str, bytes]
    ) -> None:
        """Go on after that entry: its state was restored. `replies` are its own, by client."""
        self.sequence, self.digest, self.epoch = sequence, digest, epoch
        self._restored_replies = replies

    def follow(self, entries: Iterable[EncodedEntry]) -> None:
        """Apply entries in order. Raises JournalBroken at the first that does not fit."""
        for entry in entries:
            self.apply(entry)

    def apply(self, encoded: EncodedEntry) -> list[list[Event]]:
        """The events it brought. Raises JournalBroken."""
        if encoded.sequence != self.sequence + 1:
            raise JournalGap(
                f"entry {encoded.sequence} follows entry {self.sequence}: the journal has a gap. "
                "Neither the stream nor the archive holds what is missing. Restore the engine's "
                "Redis, or PostgreSQL, from a backup that does."
            )
        if encoded.core != CORE_VERSION:
            raise JournalBroken(
                f"entry {encoded.sequence} was written by core version {encoded.core}, this is "
                f"version {CORE_VERSION}. Run the version that wrote it; to change to this one, "
                "stop the engine and call `manage.py final_snapshot` under that version."
            )
        replies, event_lists = self._replay(encoded)
        events = encode_events(event_lists)
        digest = roll(self.digest, encoded.commands, events)
        if digest != encoded.digest or events != encoded.events:
            raise JournalBroken(
                f"entry {encoded.sequence} does not replay to the events it holds. "
                "The journal was altered, or the core is not deterministic: keep both for analysis."
            )
        self.sequence, self.digest, self.epoch = encoded.sequence, digest, encoded.epoch
        self.commands += len(replies)
        self._last = encoded, replies
        return event_lists

    def last_replies(self) -> dict[str, bytes]:
        """The replies to the last entry, encoded, by client."""
        if self._last is None:
            return self._restored_replies
        entry, replies = self._last
        # An archived entry comes without origins: nobody has waited for it for long.
        answers = zip(decode_origins(entry.origins), replies, strict=False)
        known = ((origin, reply) for origin, reply in answers if origin is not None)
        return encode_replies(entry.sequence, entry.time, known)

    def _replay(self, encoded: EncodedEntry) -> tuple[list[Reply], list[list[Event]]]:
        replies: list[Reply] = []
        events = [self.engine.advance(encoded.time)]
        for command in _commands_of(encoded):
            reply, caused = self.engine.apply(command)
            replies.append(reply)
            events.append(caused)
        return replies, events


def _commands_of(encoded: EncodedEntry) -> list[Command]:
    try:
        return encoded.decode_commands()
    except ValueError as error:
        raise JournalBroken(
            f"the commands of entry {encoded.sequence} cannot be read ({error}). The journal was "
            "altered: keep it for analysis."
        ) from error
