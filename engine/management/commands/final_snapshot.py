"""The last thing an old version does before a new one starts."""

import json
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from engine.core.engine import CORE_VERSION
from engine.snapshots.follower import Follower, Policy
from engine.snapshots.lease import hold_lease
from engine.snapshots.tools import open_journal

FOLLOW_S: Final = 60.0


class Command(BaseCommand):
    help = (
        "With the engine stopped: store a snapshot of the journal's very end, from which another "
        "core version can go on. Prints one JSON object."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with open_journal() as journal, hold_lease(journal.connection):
            follower = Follower(journal.stream, journal.records, Policy.from_settings())
            while follower.follow(seconds=FOLLOW_S):
                pass
            if not follower.replica.sequence:
                raise CommandError("the journal is empty: there is nothing to take with you")
            if follower.verified != follower.replica.sequence:
                follower.take_snapshot()
            if follower.verified != follower.replica.sequence:
                raise CommandError("the follower stores a snapshot right now: try again")
        self.stdout.write(json.dumps({"sequence": follower.verified, "core": CORE_VERSION}))
