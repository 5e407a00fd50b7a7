"""The publisher process."""

import asyncio
import logging
import signal
from typing import Any, cast

import uvloop
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from redis import RedisError

from engine.connections import connect_plain
from engine.publisher.feeds import JournalGap
from engine.publisher.publisher import Groups, OtherJournal, Publisher
from engine.publisher.store import FeedStore, LeaseLost
from engine.snapshots.past import DatabasePast
from engine.worker.clock import SteadyClock
from exchange_site.garbage import spare_what_stands


class Command(BaseCommand):
    help = "Run the publisher: follow the journal, keep the feeds, tell the sockets."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        layers: Any = settings.CHANNEL_LAYERS
        if layers["default"]["CONFIG"]["hosts"] != [settings.REDIS_URL]:
            raise CommandError("the channel layer must be on the Redis of REDIS_URL")
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        try:
            uvloop.run(publish())
        except (LeaseLost, JournalGap, OtherJournal, RedisError, DatabaseError) as error:
            raise CommandError(f"publisher stopped: {error}") from error


async def publish() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with (
        connect_plain(settings.ENGINE_REDIS_URL) as journal,
        connect_plain(settings.REDIS_URL) as shared,
    ):
        groups = cast(Groups, get_channel_layer())
        clock = SteadyClock()
        publisher = Publisher(journal, FeedStore(shared), groups, DatabasePast(), clock.now_ms)
        spare_what_stands()
        await publisher.run(stop.is_set)
