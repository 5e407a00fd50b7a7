"""Without the shared Redis nothing is counted and nobody waits; once it is back all is counted."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import redis
from pytest_django import Settings

from accounts import counting
from accounts.counting import Count, Counting, run_count
from exchange_site.servers.addresses import ServerAddresses
from exchange_site.tests.processes import wait_until

PATIENCE_S = 3.0
QUICKLY_S = 2.5
"""More than a hundred counts take that do not wait, and less than the patience with one."""

ONE: Count[Any] = Count("return redis.call('INCR', KEYS[1])", ("counted",), (), lambda read: read)

Ask = Callable[[], Any]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "PATIENCE_S", PATIENCE_S)


@pytest.fixture
def counted(shared_redis: "redis.Redis") -> "redis.Redis":
    return shared_redis


@pytest.fixture
def unreachable() -> Iterator[str]:
    """The address of a server to which no connection comes about: nothing answers the first
    packet, for the queue of those that nobody has accepted is full."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Path]:
    """The socket of a server that takes connections and says nothing."""
    path = tmp_path / "redis.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(100)
        yield path


@pytest.fixture(params=["threads", "coroutines"])
def asking(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Callable[[str], Ask]]:
    """Both ways to count, of which each is given the address to ask."""

    def ask_at(url: str) -> Ask:
        settings.REDIS_URL = url
        if request.param == "threads":
            return lambda: run_count(ONE)
        loop = stack.enter_context(asyncio.Runner())
        counts = Counting(url)
        return lambda: loop.run(counts.run(ONE))

    with ExitStack() as stack:
        yield ask_at


def taken_s(ask: Ask, times: int = 1) -> float:
    began = time.monotonic()
    assert [ask() for _ in range(times)] == [None] * times, "none is counted"
    return time.monotonic() - began


def test_one_that_cannot_be_reached_is_waited_for_once(
    asking: Callable[[str], Ask], unreachable: str
) -> None:
    ask = asking(unreachable)
    assert taken_s(ask) < 2 * PATIENCE_S
    assert taken_s(ask, times=100) < QUICKLY_S


def test_one_that_hangs_is_waited_for_once(asking: Callable[[str], Ask], hanging: Path) -> None:
    ask = asking(f"unix://{hanging}")
    assert taken_s(ask) < 2 * PATIENCE_S
    assert taken_s(ask, times=100) < QUICKLY_S


async def test_who_waits_with_others_waits_no_longer(hanging: Path) -> None:
    counts = Counting(f"unix://{hanging}")
    began = time.monotonic()
    asked = [counts.run(ONE) for _ in range(3 * counting.MAX_TOGETHER)]
    assert set(await asyncio.gather(*asked)) == {None}
    assert time.monotonic() - began < 2 * PATIENCE_S


def test_nobody_waits_while_it_is_asked_whether_it_is_back(
    asking: Callable[[str], Ask], hanging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "RETRY_EVERY_S", 0.0)
    ask = asking(f"unix://{hanging}")
    ask()
    assert taken_s(ask, times=100) < QUICKLY_S


def test_one_that_is_back_counts(
    asking: Callable[[str], Ask],
    hanging: Path,
    counted: "redis.Redis",
    servers: ServerAddresses,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "RETRY_EVERY_S", 0.1)
    ask = asking(f"unix://{hanging}")
    assert ask() is None
    hanging.unlink()
    hanging.symlink_to(servers.redis_url.removeprefix("unix://"))
    wait_until(ask, "it counts again")
    assert [ask(), ask()] == [2, 3]
    assert counted.get("counted") == b"3"


def test_an_error_is_an_answer(
    asking: Callable[[str], Ask], counted: "redis.Redis", servers: ServerAddresses
) -> None:
    """Of one that is not away the next count counts."""
    counted.set("counted", "no number")
    ask = asking(servers.redis_url)
    assert ask() is None
    counted.delete("counted")
    assert ask() == 1
