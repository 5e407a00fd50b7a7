"""Where the servers are."""

from pathlib import Path
from typing import Any

import pytest

from exchange_site.servers.addresses import ServerAddresses, celery_url
from exchange_site.servers.home import ExchangeHome

DATABASE = "postgresql://app:p%40ss@db.example:6432/exchange?sslmode=require"


@pytest.fixture
def home(tmp_path: Path) -> ExchangeHome:
    return ExchangeHome(tmp_path.resolve())


def test_without_variables_everything_is_embedded(home: ExchangeHome) -> None:
    addresses = ServerAddresses.from_environment({}, home)
    assert addresses.embedded == {"engine-valkey", "valkey", "postgres"}
    assert addresses.engine_redis_url == f"unix://{home.sockets}/engine.sock"
    assert addresses.redis_url == f"unix://{home.sockets}/valkey.sock"
    databases = addresses.databases()
    assert {alias: database["USER"] for alias, database in databases.items()} == {
        "default": "exchange_app",
        "owner": "exchange_owner",
    }
    for database in databases.values():
        assert database["HOST"] == f"{home.sockets}/pg"
        assert database["NAME"] == "exchange"


@pytest.mark.parametrize(
    ("variable", "server"),
    [("ENGINE_REDIS_URL", "engine-valkey"), ("REDIS_URL", "valkey"), ("DATABASE_URL", "postgres")],
)
def test_a_variable_replaces_one_server(variable: str, server: str, home: ExchangeHome) -> None:
    addresses = ServerAddresses.from_environment({variable: "postgresql://h/d"}, home)
    assert {"engine-valkey", "valkey", "postgres"} - addresses.embedded == {server}
    assert getattr(addresses, variable.lower()) == "postgresql://h/d"


def test_a_database_url_is_read_as_libpq_reads_it(home: ExchangeHome) -> None:
    addresses = ServerAddresses.from_environment({"DATABASE_URL": DATABASE}, home)
    expected: dict[str, Any] = {
        "ENGINE": "exchange_site.database",
        "NAME": "exchange",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }
    assert addresses.databases()["default"].items() >= expected.items()


def test_the_owner_is_the_application_unless_told_otherwise(home: ExchangeHome) -> None:
    environ = {"DATABASE_URL": DATABASE}
    assert ServerAddresses.from_environment(environ, home).database_owner_url == DATABASE
    environ["DATABASE_OWNER_URL"] = "postgresql://owner@db.example/exchange"
    assert ServerAddresses.from_environment(environ, home).databases()["owner"]["USER"] == "owner"


@pytest.mark.parametrize(
    ("environ", "pool"),
    [
        ({}, None),
        ({"DATABASE_POOL_SIZE": "0"}, None),
        ({"DATABASE_POOL_SIZE": "20"}, (1, 20)),
        ({"DATABASE_POOL_SIZE": "20", "DATABASE_POOL_MIN_SIZE": "5"}, (5, 20)),
        ({"DATABASE_POOL_SIZE": "3", "DATABASE_POOL_MIN_SIZE": "5"}, (3, 3)),
    ],
)
def test_only_the_application_has_a_pool_and_only_where_asked(
    environ: dict[str, str], pool: tuple[int, int] | None, home: ExchangeHome
) -> None:
    databases = ServerAddresses.from_environment(environ, home).databases()
    assert "pool" not in databases["owner"]["OPTIONS"]
    given = databases["default"]["OPTIONS"].get("pool")
    assert (given and (given["min_size"], given["max_size"])) == pool


def test_requests_wait_for_no_database_for_long(home: ExchangeHome) -> None:
    environ = {"DATABASE_POOL_SIZE": "20"}
    options = ServerAddresses.from_environment(environ, home).databases()["default"]["OPTIONS"]
    assert options["connect_timeout"] == options["pool"]["timeout"] == 2
    assert options["options"] == "-c statement_timeout=5000"
    environ["DATABASE_URL"] = f"{DATABASE}&connect_timeout=7"
    options = ServerAddresses.from_environment(environ, home).databases()["default"]["OPTIONS"]
    assert options["connect_timeout"] == "7", "what the address says comes first"


@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("redis://host:6379/1", "redis://host:6379/1"),
        ("rediss://user:secret@host/0", "rediss://user:secret@host/0"),
        ("unix:///tmp/v.sock", "redis+socket:///tmp/v.sock"),
        ("unix:///tmp/v.sock?db=2", "redis+socket:///tmp/v.sock?virtual_host=2"),
        ("unix://:secret@/tmp/v.sock", "redis+socket://:secret@/tmp/v.sock"),
    ],
)
def test_celery_is_given_the_address_as_it_spells_it(redis_url: str, expected: str) -> None:
    assert celery_url(redis_url) == expected
