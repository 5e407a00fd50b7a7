"""The last thing an old version does before a new one starts."""

import json
import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from engine.core.engine import CORE_VERSION
from engine.snapshots.follower import Follower, Policy
from engine.snapshots.tools import open_journal
from engine.worker.redis_store import LEASE_MS, RedisStore

WAIT_FOR_LEASE_S: Final = 2 * LEASE_MS / 1000
FOLLOW_S: Final = 60.0


class Command(BaseCommand):
    help = (
        "With the engine stopped: store a snapshot of the journal's very end, from which another "
        "core version can go on. Prints one JSON object."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with open_journal() as journal:
            lease = RedisStore(journal.connection)
            take_lease(lease)
            try:
                follower = Follower(journal.stream, journal.records, Policy.from_settings())
                while follower.follow(seconds=FOLLOW_S):
                    lease.renew()
                if not follower.replica.sequence:
                    raise CommandError("the journal is empty: there is nothing to take with you")
                if follower.verified != follower.replica.sequence:
                    follower.take_snapshot()
                if follower.verified != follower.replica.sequence:
                    raise CommandError("the follower stores a snapshot right now: try again")
                lease.renew()  # Fenced where an engine started meanwhile
            finally:
                lease.release()
        self.stdout.write(json.dumps({"sequence": follower.verified, "core": CORE_VERSION}))


def take_lease(lease: RedisStore) -> None:
    """Nobody else writes then. That of an engine that was killed ends by itself."""
    deadline = time.monotonic() + WAIT_FOR_LEASE_S
    while lease.acquire() is None:
        if time.monotonic() > deadline:
            raise CommandError("an engine leads: stop it first, its standby too")
        time.sleep(0.05)
