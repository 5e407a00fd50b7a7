"""The exchange as it was."""

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.snapshots.time_travel import describe, replica_at
from engine.snapshots.tools import open_journal
from engine.times import to_milliseconds


class Command(BaseCommand):
    help = "Print the books, balances and open orders of a moment, as one JSON object."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at",
            required=True,
            metavar="TIME|SEQ",
            help="a time such as 2026-03-01T12:00:00Z (UTC if it does not say), or the number of a "
            "journal entry",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        sequence, time = parse_moment(options["at"])
        with open_journal() as journal:
            replica = replica_at(journal.stream, journal.records, sequence=sequence, time=time)
        if sequence is not None and replica.sequence != sequence:
            raise CommandError(f"the journal ends at entry {replica.sequence}")
        json.dump(describe(replica), self.stdout)
        self.stdout.write("")


def parse_moment(text: str) -> tuple[int | None, int | None]:
    """A sequence, or milliseconds since the epoch UTC. Raises CommandError."""
    if text.isascii() and text.isdigit():
        return int(text), None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"neither a time nor the number of an entry: {text}") from None
    return None, to_milliseconds(time if time.tzinfo else time.replace(tzinfo=UTC))
