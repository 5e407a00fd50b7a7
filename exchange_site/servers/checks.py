"""Do the servers promise what the exchange promises on top of them?

Used at start, where an error stops it, and by `/health`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from exchange_site.servers.addresses import ServerAddresses

OLDEST_REDIS = 7  # LMOVE and BLMOVE came with 6.2; 7 writes its append-only file in parts
OLDEST_POSTGRES = 14

# An acknowledged order is on disk and is never evicted.
ENGINE_REDIS_SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
}
# Celery's queues must not be evicted.
REDIS_SETTINGS = {"maxmemory-policy": "noeviction"}


@dataclass(frozen=True)
class Finding:
    """Something to change about a server, or to make sure of by hand (`warning`)."""

    server: str
    level: Literal["error", "warning"]
    message: str

    def __str__(self) -> str:
        return f"{self.server}: {self.message}"


def check_servers(addresses: ServerAddresses) -> list[Finding]:
    """Everything that is wrong with the servers at these addresses; empty where all is well."""
    return [
        *check_redis("ENGINE_REDIS_URL", addresses.engine_redis_url, ENGINE_REDIS_SETTINGS),
        *check_redis("REDIS_URL", addresses.redis_url, REDIS_SETTINGS),
        *check_database("DATABASE_URL", addresses.database_url),
        *check_database("DATABASE_OWNER_URL", addresses.database_owner_url),
    ]


def check_redis(name: str, url: str, expected: Mapping[str, str]) -> list[Finding]:
    """Whether the Redis at `url` answers, is new enough and has the `expected` settings."""
    connection = redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=5,
    )
    try:
        version = str(connection.info("server")["redis_version"])
        if int(version.split(".")[0]) < OLDEST_REDIS:
            return [Finding(name, "error", f"Redis {version} is too old: {OLDEST_REDIS} or newer.")]
        return _check_settings(name, connection, expected)
    except redis.RedisError as error:
        return [Finding(name, "error", f"cannot be reached: {error}")]
    finally:
        connection.close()


def check_database(name: str, url: str) -> list[Finding]:
    """Whether the PostgreSQL at `url` lets us in and is new enough."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        return [Finding(name, "error", f"cannot be reached: {str(error).strip()}")]
    if version < OLDEST_POSTGRES * 10_000:
        found = version // 10_000
        return [
            Finding(name, "error", f"PostgreSQL {found} is too old: {OLDEST_POSTGRES} or newer.")
        ]
    return []


def _check_settings(
    name: str, connection: "redis.Redis", expected: Mapping[str, str]
) -> list[Finding]:
    try:
        found = connection.config_get(*expected)
    except redis.ResponseError as error:
        wanted = ", ".join(f"{key} {value}" for key, value in expected.items())
        return [
            Finding(name, "warning", f"its settings cannot be read ({error}); it needs {wanted}.")
        ]
    return [
        Finding(
            name,
            "error",
            f"{key} is {found.get(key)!r} and must be {value!r}: "
            f"CONFIG SET {key} {value}, and the same in its configuration file.",
        )
        for key, value in expected.items()
        if found.get(key) != value
    ]
