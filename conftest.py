"""Real servers for the tests, started when the first test asks for them.

They live in a folder of this run alone (`exchange_site/tests/settings.py`) and end with it.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connections
from filelock import FileLock
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from engine.tests.processes import RunEngine
from exchange_site.servers.addresses import (
    OWNER_ROLE,
    ServerAddresses,
    embedded_database_url,
)
from exchange_site.servers.home import ExchangeHome
from exchange_site.servers.valkey import engine_valkey, shared_valkey
from exchange_site.tests.processes import running_server, wait_until
from exchange_site.tests.running import RunningExchange
from exchange_site.tests.settings import TEST_CONTROLLER, TEST_RUN

# How fast a machine is says nothing about the code.
hypothesis_settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any-machine")


PATIENT = {"HISTORY_WAIT_S": "15"}
"""How busy the machine is says nothing about the code either."""


@pytest.fixture(scope="session")
def servers() -> Iterator[ServerAddresses]:
    """The servers of this test process: two Valkeys of its own, and a PostgreSQL for the run."""
    _start_postgres()
    home: ExchangeHome = settings.HOME
    with ExitStack() as stack:
        stack.callback(home.remove_sockets)
        for server in (engine_valkey(home), shared_valkey(home)):
            stack.enter_context(running_server(home, server))
        yield settings.ADDRESSES


@pytest.fixture
def engine_redis(servers: ServerAddresses) -> Iterator["redis.Redis"]:
    """The engine's Valkey, emptied, on a connection that never retries; answers are bytes."""
    yield from _emptied(servers.engine_redis_url)


@pytest.fixture
def shared_redis(servers: ServerAddresses) -> Iterator["redis.Redis"]:
    """The other Valkey (channels, tasks, limits, cache), emptied."""
    yield from _emptied(servers.redis_url)


@pytest.fixture
def run_engine(
    servers: ServerAddresses,
    engine_redis: "redis.Redis",
    shared_redis: "redis.Redis",
    database_url: str,
) -> Iterator[RunEngine]:
    """Starts engine processes, which end with the test."""
    runner = RunEngine(servers.engine_redis_url, database_url)
    yield runner
    runner.stop()


@pytest.fixture(scope="session")
def exchange() -> Iterator[RunningExchange]:
    """One whole exchange for the run, shared by all its workers."""
    exchange = RunningExchange(TEST_RUN / "exchange", variables=PATIENT)
    started = TEST_RUN / "exchange.started"
    with FileLock(TEST_RUN / "exchange.lock"):
        if not started.exists():
            exchange.start(while_running=TEST_CONTROLLER)
            started.touch()
    yield exchange
    exchange.close()


@pytest.fixture(scope="module")
def alone(exchange: RunningExchange) -> Iterator[None]:
    """No other file that asks for this trades meanwhile: they share ETHBTC and its prices."""
    with FileLock(TEST_RUN / "alone.lock"):
        yield


@pytest.fixture(scope="module")
def fragile() -> Iterator[RunningExchange]:
    """An exchange of the test file's own: nobody else should feel what it does to it."""
    exchange = RunningExchange(
        Path(tempfile.mkdtemp(prefix="fragile-", dir=TEST_RUN)), variables=PATIENT
    )
    exchange.home.path.chmod(0o711)  # root's PostgreSQL runs as nobody, who must get through
    exchange.start(while_running=TEST_CONTROLLER)
    yield exchange
    exchange.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, servers: ServerAddresses
) -> None:
    """pytest-django's hook before it creates the test database: the server must run."""


@pytest.fixture
def database_url(django_db_setup: None) -> str:
    """The test database, for the processes that a test starts."""
    name = connections["default"].settings_dict["NAME"]
    return embedded_database_url(ExchangeHome(TEST_RUN), role=OWNER_ROLE, database=name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test database is only made for tests with the mark: those that start processes on it
    need it, too."""
    for item in items:
        if "database_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process of the run ends what any of its workers started."""
    if os.getpid() != TEST_CONTROLLER:
        return
    for home in (ExchangeHome(TEST_RUN / "exchange"), ExchangeHome(TEST_RUN)):
        with suppress(FileNotFoundError, ProcessLookupError), home.lock.open() as lock:
            os.kill(int(lock.read()), signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_EX)  # free once all of it is gone
    shutil.rmtree(TEST_RUN, ignore_errors=True)


def _emptied(url: str) -> Iterator["redis.Redis"]:
    connection = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))
    connection.flushall()
    yield connection
    connection.close()


def _start_postgres() -> None:
    """Once for all workers of the run. It stops with the first process, however that ends."""
    log = TEST_RUN / "servers.log"
    with FileLock(TEST_RUN / "servers.lock"):
        if log.exists():
            return
        controller = str(TEST_CONTROLLER)
        argv = [sys.executable, "-m", "exchange_site.supervisor", "--servers", "postgres"]
        with log.open("wb") as output:
            starting = subprocess.Popen(
                [*argv, "--while-running", controller],
                env={**os.environ, "EXCHANGE_HOME": str(TEST_RUN)},
                cwd=settings.BASE_DIR,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until(
            lambda: b"servers ready" in log.read_bytes() or starting.poll() is not None,
            "PostgreSQL is ready",
            timeout_s=90.0,
        )
        assert starting.poll() is None, log.read_text()
