"""Check the journal from end to end."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from engine.snapshots.tools import open_journal
from engine.snapshots.verify import verify_journal


class Command(BaseCommand):
    help = (
        "Check every digest of archive and stream, and replay the journal from the oldest and from "
        "the newest snapshot. Exit 1 and the first difference where there is one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from-start",
            action="store_true",
            help="replay from the first entry on, which takes as long as it does",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with open_journal() as journal:
            verified = verify_journal(
                journal.stream, journal.records, from_start=options["from_start"]
            )
        self.stdout.write(json.dumps({"ok": True, **verified._asdict()}))
