"""The projector's connection to the engine's Redis."""

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_TIMEOUT_S = 5.0
"""Longer than the loop ever blocks; a server that is silent for longer is gone."""


def journal_connection() -> "redis.Redis":
    """Without retries: the loop knows nothing of an attempt that failed halfway; the next task
    starts from the position in the database."""
    return redis.Redis.from_url(
        settings.ENGINE_REDIS_URL,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
    )
