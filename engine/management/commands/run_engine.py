"""The engine process."""

import gc
import logging
import os
import signal
from collections.abc import Iterator
from functools import partial
from threading import Event
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections
from redis import OutOfMemoryError, RedisError

from engine.connections import connect
from engine.presence import Instance
from engine.snapshots.records import DatabaseRecords
from engine.snapshots.takeover import PATIENCE_S, check_at_takeover
from engine.worker.clock import SteadyClock
from engine.worker.loader import load_replica
from engine.worker.ports import Fenced, JournalTailMoved, Witness
from engine.worker.recovery import JournalBroken, Replica
from engine.worker.redis_store import RedisStore
from engine.worker.suspects import CommandFailed
from engine.worker.worker import Worker
from exchange_site.servers.checks import ENGINE_REDIS_SETTINGS, Finding, check_redis


def load_state(store: RedisStore) -> Replica:
    """The newest state that PostgreSQL has. From then on the engine needs no database."""
    with connect(settings.REDIS_URL) as shared:
        try:
            return load_replica(store, DatabaseRecords(shared))
        finally:
            connections.close_all()


def check_journal(store: RedisStore) -> None:
    """At a take-over: see `engine/snapshots/takeover.py`. Raises JournalBroken."""

    def testify() -> Iterator[Witness]:
        with connect(settings.REDIS_URL, timeout_s=PATIENCE_S) as shared:
            yield from DatabaseRecords(shared).witnesses()

    check_at_takeover(store, testify)


class Command(BaseCommand):
    help = "Run the engine: take the lease, recover from the journal, serve the queue."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--standby", action="store_true", help="follow the journal while another engine leads"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        stop = Event()

        def request_stop(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, request_stop)
        signal.signal(signal.SIGINT, request_stop)
        # The core frees everything by reference counts (a test holds it to that); a full
        # collection over a million orders would stop the exchange for a second.
        gc.disable()
        try:
            for finding in check_redis(
                "ENGINE_REDIS_URL", settings.ENGINE_REDIS_URL, ENGINE_REDIS_SETTINGS
            ):
                self._take_note(finding)
            instance = Instance(settings.ENGINE_INSTANCE, os.getpid())
            store = RedisStore(connect(settings.ENGINE_REDIS_URL), instance=instance)
            worker = Worker(
                store,
                SteadyClock(),
                partial(load_state, store),
                check=partial(check_journal, store),
            )
            worker.run(stop.is_set, standby=options["standby"])
        except DatabaseError as error:
            raise CommandError(
                f"engine stopped: PostgreSQL is needed to start it, not to run it: {error}"
            ) from error
        except OutOfMemoryError as error:
            raise CommandError(
                "engine stopped: its Redis is full. Nothing acknowledged is lost, and nothing is "
                "taken until there is room: CONFIG SET maxmemory to more, and in its configuration."
            ) from error
        except CommandFailed as error:
            logging.getLogger(__name__).exception("the engine failed on a command")
            raise CommandError(
                f"engine stopped: it failed on a command ({error}). It tries again, and after the "
                "third time refuses it: see the dead letters in the admin."
            ) from error
        except (Fenced, JournalTailMoved, JournalBroken, RedisError) as error:
            raise CommandError(f"engine stopped: {error}") from error

    def _take_note(self, finding: Finding) -> None:
        """A Redis that may forget what it acknowledged is no place for a journal."""
        if finding.level == "error":
            raise CommandError(str(finding))
        self.stderr.write(str(finding))
