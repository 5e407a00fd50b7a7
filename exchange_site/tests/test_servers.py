"""The embedded servers really start: as root, as a normal user, and again on the same data."""

import multiprocessing
import os
import pwd
import shutil
import signal
import stat
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from exchange_site.servers.addresses import ServerAddresses
from exchange_site.servers.checks import (
    ENGINE_REDIS_SETTINGS,
    REDIS_SETTINGS,
    check_redis,
    check_servers,
)
from exchange_site.servers.embedded import embedded_servers
from exchange_site.servers.home import ExchangeHome
from exchange_site.servers.postgres import COMMON_FOLDER, PostgresServer
from exchange_site.servers.valkey import ValkeyServer, engine_valkey
from exchange_site.tests.processes import is_running, running_server, wait_until

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[ExchangeHome]:
    home = ExchangeHome(tmp_path.resolve() / "home")
    home.create()
    yield home
    home.remove_sockets()


def open_the_way(home: ExchangeHome) -> None:
    """pytest makes folders that only their owner can pass through."""
    common = Path(tempfile.gettempdir()).resolve()
    for folder in home.path.parents:
        if folder != common and folder.is_relative_to(common):
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)


def use_every_server(home: ExchangeHome) -> None:
    """Start each, use it as the exchange does, and find the same data after another start."""
    addresses = ServerAddresses.from_environment({}, home)
    for start in (1, 2):
        valkeys = embedded_servers(home, addresses)[:2]
        with (
            running_server(home, valkeys[0]),
            running_server(home, valkeys[1]),
            running_server(home, PostgresServer(home)),
        ):
            assert check_servers(addresses) == []
            for url in (addresses.engine_redis_url, addresses.redis_url):
                with redis.Redis.from_url(url) as connection:
                    assert connection.incr("starts") == start
            with psycopg.connect(addresses.database_owner_url) as owner:
                owner.execute("CREATE TABLE IF NOT EXISTS starts (id serial, number int)")
            with psycopg.connect(addresses.database_url) as application:
                application.execute("INSERT INTO starts (number) VALUES (%s)", [start])
                rows = application.execute("SELECT id, number FROM starts ORDER BY id").fetchall()
                assert rows == [(number, number) for number in range(1, start + 1)]


def as_nobody(work: Callable[[ExchangeHome], None], home: ExchangeHome) -> None:
    """Run `work` in a process of the user `nobody`, to whom the home is given."""
    nobody = pwd.getpwnam("nobody")
    os.chown(home.path, nobody.pw_uid, nobody.pw_gid)
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def change_user_and_work() -> None:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        try:
            work(home)
            sender.send("")
        except BaseException:
            sender.send(traceback.format_exc())

    # A fork needs no path to the interpreter, which may stand below /root.
    process = multiprocessing.get_context("fork").Process(target=change_user_and_work)
    process.start()
    problem = receiver.recv()
    process.join()
    assert not problem, problem


def test_servers_start_as_the_user_who_runs_the_tests(home: ExchangeHome) -> None:
    open_the_way(home)
    use_every_server(home)


@needs_root
def test_servers_start_as_a_normal_user(home: ExchangeHome) -> None:
    open_the_way(home)
    for step in Path(psycopg.__file__).parents:
        if not step.stat().st_mode & stat.S_IXOTH:
            pytest.skip(f"a normal user cannot reach the packages through {step}")
    as_nobody(use_every_server, home)


@needs_root
def test_roots_database_stands_elsewhere_when_nobody_cannot_reach_the_home(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    home = ExchangeHome(tmp_path.resolve() / "home")
    home.create()
    server = PostgresServer(home)
    try:
        with running_server(home, server):
            assert server.folder.is_symlink()
            elsewhere = server.folder.resolve()
            assert elsewhere.is_relative_to(COMMON_FOLDER)
            assert elsewhere.stat().st_uid == pwd.getpwnam("nobody").pw_uid
        with running_server(home, server):
            assert server.folder.resolve() == elsewhere
    finally:
        home.remove_sockets()
        if server.folder.is_symlink():
            shutil.rmtree(server.folder.resolve().parent)


def test_the_application_cannot_change_tables(home: ExchangeHome) -> None:
    open_the_way(home)
    addresses = ServerAddresses.from_environment({}, home)
    with running_server(home, PostgresServer(home)):
        with psycopg.connect(addresses.database_owner_url) as owner:
            owner.execute("CREATE TABLE ledger (id int)")
        for statement in (
            "DROP TABLE ledger",
            "ALTER TABLE ledger DISABLE TRIGGER ALL",
            "TRUNCATE ledger",
            "CREATE TABLE other (id int)",
        ):
            with (
                psycopg.connect(addresses.database_url) as application,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                application.execute(statement)


def test_what_the_engines_valkey_acknowledged_survives_its_kill(home: ExchangeHome) -> None:
    server = engine_valkey(home)
    with running_server(home, server) as process:
        with redis.Redis(unix_socket_path=server.socket) as connection:
            connection.xadd("journal", {"commands": "[]"}, id="1-0")
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running_server(home, server), redis.Redis(unix_socket_path=server.socket) as connection:
        assert connection.xlen("journal") == 1


def test_a_server_ends_with_the_process_that_started_it(home: ExchangeHome) -> None:
    """Linux tells it. The process is killed, so that nothing it does can be the reason."""
    server = engine_valkey(home)
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def start_and_wait() -> None:
        with running_server(home, server) as process:
            sender.send(process.pid)
            signal.pause()

    parent = multiprocessing.get_context("fork").Process(target=start_and_wait)
    parent.start()
    assert receiver.poll(30)
    child = receiver.recv()
    parent.kill()
    parent.join()
    wait_until(lambda: not is_running(child), "the server is gone")


@pytest.mark.parametrize(
    ("setting", "value"), [("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")]
)
def test_a_setting_that_breaks_the_promise_is_an_error(
    setting: str, value: str, home: ExchangeHome
) -> None:
    good = engine_valkey(home)
    server = ValkeyServer(good.name, good.folder, good.socket, {**good.settings, setting: value})
    with running_server(home, server):
        (finding,) = check_redis(
            "ENGINE_REDIS_URL", f"unix://{server.socket}", ENGINE_REDIS_SETTINGS
        )
    assert finding.level == "error"
    assert f"CONFIG SET {setting} {good.settings[setting]}" in str(finding)


def test_a_server_that_hides_its_settings_is_a_warning(home: ExchangeHome) -> None:
    server = engine_valkey(home)
    with running_server(home, server):
        with redis.Redis(unix_socket_path=server.socket) as connection:
            connection.acl_setuser(
                "web", enabled=True, nopass=True, commands=["+@all", "-config"], keys=["*"]
            )
        (finding,) = check_redis("REDIS_URL", f"unix://web:x@{server.socket}", REDIS_SETTINGS)
    assert finding.level == "warning"
    assert "maxmemory-policy noeviction" in str(finding)


def test_servers_that_are_not_there_are_errors(home: ExchangeHome) -> None:
    findings = check_servers(ServerAddresses.from_environment({}, home))
    assert [(finding.server, finding.level) for finding in findings] == [
        ("ENGINE_REDIS_URL", "error"),
        ("REDIS_URL", "error"),
        ("DATABASE_URL", "error"),
        ("DATABASE_OWNER_URL", "error"),
    ]
