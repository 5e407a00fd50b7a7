"""Where the servers are: external ones from the environment, else the embedded ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from psycopg.conninfo import conninfo_to_dict

from exchange_site.servers.home import ExchangeHome

DATABASE_NAME = "exchange"
APPLICATION_ROLE = "exchange_app"
OWNER_ROLE = "exchange_owner"

CONNECT_TIMEOUT_S = 2
STATEMENT_TIMEOUT_MS = 5_000
VANISHED_AFTER_MS = 10_000

_DJANGO_NAMES = {
    "dbname": "NAME",
    "user": "USER",
    "password": "PASSWORD",
    "host": "HOST",
    "port": "PORT",
}


def engine_socket(home: ExchangeHome) -> str:
    return str(home.sockets / "engine.sock")


def valkey_socket(home: ExchangeHome) -> str:
    return str(home.sockets / "valkey.sock")


def postgres_socket_folder(home: ExchangeHome) -> str:
    return str(home.sockets / "pg")


def embedded_database_url(home: ExchangeHome, *, role: str, database: str = DATABASE_NAME) -> str:
    return f"postgresql://{role}@/{database}?host={quote(postgres_socket_folder(home), safe='')}"


@dataclass(frozen=True)
class ServerAddresses:
    """The addresses that every process of an installation agrees on.

    `embedded` names the servers that no variable points elsewhere: `engine-valkey`, `valkey`,
    `postgres`. `pool_size` is the largest number of connections the process keeps in a pool; 0:
    no pool.
    """

    engine_redis_url: str
    redis_url: str
    database_url: str
    database_owner_url: str
    embedded: frozenset[str] = frozenset()
    pool_min_size: int = 1
    pool_size: int = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], home: ExchangeHome) -> Self:
        engine_redis = environ.get("ENGINE_REDIS_URL")
        redis = environ.get("REDIS_URL")
        database = environ.get("DATABASE_URL")
        owner = environ.get("DATABASE_OWNER_URL") or database
        given = {"engine-valkey": engine_redis, "valkey": redis, "postgres": database}
        return cls(
            engine_redis_url=engine_redis or f"unix://{engine_socket(home)}",
            redis_url=redis or f"unix://{valkey_socket(home)}",
            database_url=database or embedded_database_url(home, role=APPLICATION_ROLE),
            database_owner_url=owner or embedded_database_url(home, role=OWNER_ROLE),
            embedded=frozenset(name for name, url in given.items() if not url),
            pool_min_size=int(environ.get("DATABASE_POOL_MIN_SIZE") or 1),
            pool_size=int(environ.get("DATABASE_POOL_SIZE") or 0),
        )

    @property
    def celery_broker_url(self) -> str:
        return celery_url(self.redis_url)

    def databases(self) -> dict[str, dict[str, Any]]:
        """Django's DATABASES: `default` for the parts, `owner` for migrations."""
        default = _django_database(self.database_url)
        # A PostgreSQL that was started again fails no request with a connection to the old one.
        default["CONN_HEALTH_CHECKS"] = True
        if self.pool_size:
            options = default["OPTIONS"]
            options["pool"] = {
                "min_size": min(self.pool_min_size, self.pool_size),
                "max_size": self.pool_size,
                "timeout": CONNECT_TIMEOUT_S,
            }
            # Only who answers requests has a pool, and no request may wait for long. What the
            # address itself says comes first.
            options.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
            # A host that vanished says nothing, and TCP alone waits for hours. (Not for sockets.)
            options.setdefault("tcp_user_timeout", VANISHED_AFTER_MS)
            options.setdefault("keepalives_idle", CONNECT_TIMEOUT_S)
            options.setdefault("options", f"-c statement_timeout={STATEMENT_TIMEOUT_MS}")
        owner = _django_database(self.database_owner_url)
        # A test run has one database: its owner's.
        owner["TEST"] = {"MIRROR": "default"}
        return {"default": default, "owner": owner}


def celery_url(redis_url: str) -> str:
    """The address as kombu spells it: it knows Unix sockets under another scheme."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    query = parse_qs(parts.query)
    if "db" in query:
        query["virtual_host"] = query.pop("db")
    encoded = f"?{urlencode(query, doseq=True)}" if query else ""
    login = f"{parts.netloc}" if parts.netloc else ""
    return f"redis+socket://{login}{parts.path}{encoded}"


def _django_database(url: str) -> dict[str, Any]:
    """Settings from a connection string, read by libpq's own rules."""
    given = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    database: dict[str, Any] = {
        _DJANGO_NAMES[key]: str(value) for key, value in given.items() if key in _DJANGO_NAMES
    }
    options = {key: value for key, value in given.items() if key not in _DJANGO_NAMES}
    return {"ENGINE": "exchange_site.database", **database, "OPTIONS": options}
