"""The journal for an auditor."""

from typing import Any, Final

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.core.digest import GENESIS, roll
from engine.journal import EncodedEntry
from engine.snapshots.tools import open_journal
from engine.worker.history import History

_encode: Final = msgspec.json.Encoder().encode


class Command(BaseCommand):
    help = (
        "Print journal entries as JSON lines: sequence, epoch, core, time, commands, events and "
        "the digest of all events so far, each checked: sha256 of the digest before and the events."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=int, default=1, metavar="SEQ")
        parser.add_argument("--to", dest="last", type=int, metavar="SEQ")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = max(1, options["first"]), options["last"]
        with open_journal() as journal:
            history = History(journal.stream, journal.records)
            digest = GENESIS
            if first > 1:
                before = next(history.read_after(first - 2), None)
                if before is None:
                    raise CommandError(f"the journal does not reach entry {first}")
                digest = before.digest
            for entry in history.read_after(first - 1):
                if last is not None and entry.sequence > last:
                    break
                digest = roll(digest, entry.commands, entry.events)
                if digest != entry.digest:
                    raise CommandError(
                        f"entry {entry.sequence} does not have the digest of what it holds"
                    )
                self.stdout.write(line_of(entry))


def line_of(entry: EncodedEntry) -> str:
    """Commands and events byte for byte as the journal has them: the digest is over them."""
    return _encode(
        {
            "sequence": entry.sequence,
            "epoch": entry.epoch,
            "core": entry.core,
            "time": entry.time,
            "commands": msgspec.Raw(entry.commands),
            "events": msgspec.Raw(entry.events),
            "digest": entry.digest,
        }
    ).decode()
