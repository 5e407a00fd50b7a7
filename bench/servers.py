"""Scratch servers for benches that need a whole exchange's, and programs that run on them."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from exchange_site.servers.addresses import ServerAddresses
from exchange_site.servers.home import ExchangeHome

ROOT = Path(__file__).resolve().parent.parent
SERVERS = ("engine-valkey", "valkey", "postgres")


@contextmanager
def scratch_servers() -> Iterator[dict[str, str]]:
    """The three servers with migrated tables; what to add to a program's environment."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)  # root's PostgreSQL runs as nobody
        environment = {"EXCHANGE_HOME": f"{folder}/home"}
        servers = subprocess.Popen(
            [sys.executable, "-m", "exchange_site.supervisor", "--servers", *SERVERS],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert servers.stdout is not None
            assert any("servers ready" in line for line in servers.stdout)
            call(["manage.py", "migrate", "--database", "owner", "-v", "0"], environment)
            yield environment
        finally:
            servers.terminate()
            servers.wait()


def addresses(environment: Mapping[str, str]) -> ServerAddresses:
    home = ExchangeHome(Path(environment["EXCHANGE_HOME"]))
    return ServerAddresses.from_environment({}, home)


def call(argv: list[str], environment: Mapping[str, str]) -> str:
    """Run a Python program to its end; what it prints."""
    return subprocess.run(
        [sys.executable, *argv],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


@contextmanager
def running(argv: list[str], environment: Mapping[str, str]) -> Iterator[int]:
    """A program beside the bench; its process id."""
    process = subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()
