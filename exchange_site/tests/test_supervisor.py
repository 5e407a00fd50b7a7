"""The supervisor with real processes: it starts, restarts and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import redis

from exchange_site.servers.home import ExchangeHome
from exchange_site.servers.valkey import engine_valkey
from exchange_site.tests.processes import wait_until

PROJECT = Path(__file__).resolve().parents[2]
FAKE_EXCHANGE = [sys.executable, "-m", "exchange_site.tests.fake_exchange"]


class FakeExchange:
    """`fake_exchange.py` as a process, and what it left on disk."""

    def __init__(self, home: ExchangeHome, *arguments: str) -> None:
        self.home = home
        self.output = home.path.parent / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*FAKE_EXCHANGE, str(home.path), *arguments],
                cwd=PROJECT,
                stdout=output,
                stderr=output,
            )

    def said(self, text: str) -> bool:
        return text in self.output.read_text()

    def logged(self, part: str) -> list[str]:
        path = self.home.logs / f"{part}.log"
        return path.read_text().split() if path.exists() else []

    def wait_ready(self) -> None:
        wait_until(
            lambda: self.said("fake exchange ready") or self.process.poll() is not None, "ready"
        )
        assert self.process.poll() is None, self.output.read_text()
        wait_until(lambda: self.logged("steady") and len(self.logged("stubborn")) == 2, "parts run")

    def pids(self) -> set[int]:
        """Everything that runs in a session that the supervisor opened, and it opened them all."""
        listing = subprocess.run(
            ["/bin/ps", "-eo", "pid=,ppid=,sid="], capture_output=True, text=True, check=True
        )
        rows = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
        sessions = {pid for pid, parent, _ in rows if parent == self.process.pid}
        return {pid for pid, _, session in rows if session in sessions}


def alive(pids: set[int]) -> set[int]:
    """Those that run; one that ended and that init has not yet noticed does not."""
    listing = subprocess.run(
        ["/bin/ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True
    )
    rows = (line.split() for line in listing.stdout.splitlines())
    return {int(pid) for pid, state in rows if not state.startswith("Z")} & pids


@pytest.fixture
def home(tmp_path: Path) -> Iterator[ExchangeHome]:
    home = ExchangeHome(tmp_path.resolve() / "home")
    yield home
    home.remove_sockets()


@pytest.fixture
def exchange(home: ExchangeHome) -> Iterator[FakeExchange]:
    exchange = FakeExchange(home)
    yield exchange
    exchange.process.terminate()  # killed, it would leave the child of `stubborn` behind
    exchange.process.wait(20)


def test_it_starts_everything_and_shows_what_is_printed_once(exchange: FakeExchange) -> None:
    exchange.wait_ready()
    assert exchange.said("the password is 1234")
    assert exchange.logged("setup") == ["set", "up"]
    with redis.Redis(unix_socket_path=engine_valkey(exchange.home).socket) as connection:
        assert connection.ping()


def test_a_part_that_was_killed_is_back_at_once(exchange: FakeExchange) -> None:
    exchange.wait_ready()
    (pid,) = exchange.logged("steady")
    os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: len(exchange.logged("steady")) == 2, "a new process")
    assert exchange.said("steady died (SIGKILL); starting it again in 0.1 s")


def test_a_part_that_keeps_failing_waits_longer_each_time(exchange: FakeExchange) -> None:
    exchange.wait_ready()
    for delay in ("0.1", "0.2", "0.4"):
        message = f"failing died (exit code 3); starting it again in {delay} s"
        wait_until(partial(exchange.said, message), message)


def test_a_server_that_was_killed_is_back_with_its_data(exchange: FakeExchange) -> None:
    exchange.wait_ready()
    server = engine_valkey(exchange.home)
    with redis.Redis(unix_socket_path=server.socket) as connection:
        connection.set("kept", "yes")
        pid = connection.info("server")["process_id"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in alive({pid}) and server.is_ready(), "the server is back")
    with redis.Redis(unix_socket_path=server.socket) as connection:
        assert connection.get("kept") == b"yes"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_stops_everything_it_started(exchange: FakeExchange, number: signal.Signals) -> None:
    exchange.wait_ready()
    pids = exchange.pids()
    assert len(pids) >= 4
    exchange.process.send_signal(number)
    assert exchange.process.wait(20) == 0
    # What was killed with its session may take the kernel a moment.
    wait_until(lambda: not alive(pids), "all parts are gone")
    assert (exchange.home.path / "stopped").read_text() == "steady\n"
    assert not exchange.home.sockets.exists()


def test_it_stops_in_the_middle_of_its_start(exchange: FakeExchange) -> None:
    wait_until(lambda: exchange.said("starting engine-valkey"), "it has begun")
    exchange.process.send_signal(signal.SIGTERM)
    assert exchange.process.wait(20) == 0
    assert not engine_valkey(exchange.home).is_ready()


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells children of their parent's end"
)
def test_its_own_kill_leaves_nothing(exchange: FakeExchange) -> None:
    exchange.wait_ready()
    # The child of `stubborn` is of a process that ends by SIGKILL too, and can tell nobody.
    (leader, grandchild) = map(int, exchange.logged("stubborn"))
    pids = exchange.pids() - {grandchild}
    assert leader in pids
    exchange.process.kill()
    exchange.process.wait()
    wait_until(lambda: not alive(pids), "all parts are gone")
    os.kill(grandchild, signal.SIGKILL)


def test_a_second_start_says_that_there_is_one(exchange: FakeExchange) -> None:
    exchange.wait_ready()
    second = subprocess.run(
        [*FAKE_EXCHANGE, str(exchange.home.path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert (
        f"running already in {exchange.home.path} (process {exchange.process.pid})" in second.stdout
    )
    assert "EXCHANGE_HOME" in second.stdout
    assert engine_valkey(exchange.home).is_ready()


def test_a_port_in_use_is_an_error_that_says_what_to_do(home: ExchangeHome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        home.path.parent.mkdir(exist_ok=True)
        exchange = FakeExchange(home, str(port))
        assert exchange.process.wait(20) == 1
    assert exchange.said(f"port {port} cannot be used")
