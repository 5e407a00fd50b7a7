"""That web process, beside the parts of an exchange."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from bench.servers import running
from exchange_site.supervisor.parts import exchange_parts
from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange

EMPTY = "/api/bench/empty"


class ReferenceWeb(NamedTuple):
    url: str
    pid: int


@contextmanager
def reference_web(exchange: RunningExchange) -> Iterator[ReferenceWeb]:
    """Started as the exchange's own is, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    parts = exchange_parts(exchange.home, {**exchange.environment, "PORT": port}).parts
    web = next(part for part in parts if part.name == "web")
    environment = {**exchange.environment, **web.environment}
    environment["DJANGO_SETTINGS_MODULE"] = "bench.reference.settings"
    url = f"http://127.0.0.1:{port}"
    with running(list(web.argv), environment) as pid:
        wait_until(lambda: _answers(url), "the reference web process answers")
        yield ReferenceWeb(url, pid)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}{EMPTY}").status_code == httpx.codes.UNAUTHORIZED
    except httpx.TransportError:
        return False
