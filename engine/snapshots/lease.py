"""The engine's lease, in the hands of a command: nobody else writes the journal meanwhile."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import redis
from django.core.management.base import CommandError

from engine.worker.redis_store import LEASE_MS, RedisStore

WAIT_S: Final = 2 * LEASE_MS / 1000
"""The lease of an engine that was killed ends by itself."""


@contextmanager
def hold_lease(connection: "redis.Redis") -> Iterator[RedisStore]:
    """Raises CommandError where an engine leads, Fenced at the end where one has led meanwhile."""
    lease = RedisStore(connection)
    deadline = time.monotonic() + WAIT_S
    while lease.acquire() is None:
        if time.monotonic() > deadline:
            raise CommandError("an engine leads: stop it first, its standby too")
        time.sleep(0.05)
    try:
        yield lease
        lease.renew()
    finally:
        lease.release()
