"""Start real programs in tests, and wait for conditions instead of sleeping."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from exchange_site.servers.embedded import EmbeddedServer, prepare_server
from exchange_site.servers.home import ExchangeHome

PATIENCE_S = 30.0

_T = TypeVar("_T")


def wait_until(
    condition: Callable[[], _T | None],
    what: str,
    *,
    timeout_s: float = PATIENCE_S,
    pause_s: float = 0.01,
) -> _T:
    """What `condition` brings, as soon as it holds; fails with `what` where it does not in time.
    `pause_s` is longer where asking costs something, such as request weight."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(pause_s)
    return found


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@contextmanager
def running_server(
    home: ExchangeHome, server: EmbeddedServer
) -> Iterator["subprocess.Popen[bytes]"]:
    """The server, answering. It ends with the block, or with this process."""
    prepare_server(home, server)
    part = server.part()
    home.logs.mkdir(exist_ok=True)
    with (home.logs / f"{part.name}.log").open("ab") as log:
        process = subprocess.Popen(part.argv, stdout=log, stderr=log, **part.popen_options())
    try:
        wait_until(lambda: server.is_ready() or process.poll() is not None, f"{part.name} answers")
        assert process.poll() is None, f"{part.name} ended: see {log.name}"
        server.finish()
        yield process
    finally:
        process.send_signal(part.stop_signal)
        process.wait(part.stop_seconds)


@contextmanager
def stopped(pids: Sequence[int]) -> Iterator[None]:
    """These processes hang for as long as the block."""
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
