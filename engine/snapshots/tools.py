"""What the operators' commands share: the connections, and how their errors are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import redis
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from engine.connections import connect
from engine.snapshots.records import DatabaseRecords
from engine.worker.ports import Fenced
from engine.worker.recovery import JournalBroken
from engine.worker.redis_store import RedisStream


class Journal(NamedTuple):
    connection: "redis.Redis"
    stream: RedisStream
    records: DatabaseRecords


@contextmanager
def open_journal() -> Iterator[Journal]:
    """The whole journal; whatever is wrong with it ends the command with exit code 1."""
    try:
        with (
            connect(settings.ENGINE_REDIS_URL, timeout_s=30) as journal,
            connect(settings.REDIS_URL) as shared,
        ):
            yield Journal(journal, RedisStream(journal), DatabaseRecords(shared))
    except (JournalBroken, Fenced, redis.RedisError, DatabaseError, ValueError) as error:
        raise CommandError(str(error)) from error
