"""After the engine's Redis was lost."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.connections import connect
from engine.snapshots.lease import hold_lease
from engine.snapshots.restore import raise_epoch, restore_journal
from engine.snapshots.tools import open_journal


class Command(BaseCommand):
    help = (
        "With the engine stopped: make the end of the journal anew from the archive. What was "
        "acknowledged after the archive's last entry is lost for good; see docs/FAILURES.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accept-loss", action="store_true", help="say that you have understood that"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["accept_loss"]:
            raise CommandError(
                "what came after the archive's last entry would be lost: look for the append-only "
                "file first, and for a replica. With --accept-loss it is done."
            )
        with open_journal() as journal, connect(settings.REDIS_URL) as shared:
            keep = settings.JOURNAL_KEEP_ENTRIES
            with hold_lease(journal.connection):
                restored = restore_journal(journal.connection, shared, journal.records, keep=keep)
            raise_epoch(journal.connection, restored.epoch)
        self.stdout.write(json.dumps(restored._asdict()))
