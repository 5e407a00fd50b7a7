"""The books that real clients keep are the server's, whatever is killed under load.

It takes a minute: it starts an exchange of its own to break.
"""

import asyncio
import subprocess
from collections.abc import Iterator
from typing import Final

import pytest
import redis

from exchange_site.servers.addresses import valkey_socket
from exchange_site.tests.running import RunningExchange
from markets.tests.native import NativeClient
from realtime.tests.sockets import BookFollower
from realtime.tests.test_feed_failures import FUNDS, kill, seen, trading
from tests.clients.environments import LIVES, python_of

SYMBOL: Final = "ETHBTC"


class Keeper:
    """A client's process that keeps a book."""

    def __init__(self, client: str, life: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [str(python_of(client)), str(LIVES / life), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def compare(self) -> int:
        """Its book is the server's; how often it began, or began anew."""
        said = await asyncio.to_thread(self._ask)
        assert said.startswith("equal "), said
        return int(said.removeprefix("equal "))

    def _ask(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("compare\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip() or "it ended: see the test's standard error"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def keepers(fragile: RunningExchange) -> Iterator[tuple[Keeper, Keeper]]:
    ccxt = Keeper("ccxt", "ccxt_depth.py", fragile.url, "ETH/BTC")
    binance = Keeper("python-binance", "python_binance_depth.py", fragile.url, SYMBOL)
    yield ccxt, binance
    ccxt.stop()
    binance.stop()


async def test_books_through_every_failure(
    fragile: RunningExchange, keepers: tuple[Keeper, Keeper]
) -> None:
    traders = [
        NativeClient(fragile.url, fragile.create_user(name, fund=FUNDS))
        for name in ("keeper-one", "keeper-two")
    ]
    ccxt, binance = keepers
    follower = BookFollower(fragile.url, SYMBOL, "depth@100ms")
    following = asyncio.create_task(follower.follow())
    try:
        async with trading(traders, seed=2):
            await seen([follower], 20)
        assert await ccxt.compare() == 0
        assert await binance.compare() <= 2
        async with trading(traders, seed=3):
            for part in ("run_publisher", "run_engine", "run_publisher"):
                kill(fragile, part)
                await seen([follower], 10)
        assert await ccxt.compare() == 0, "its connection held"
        assert await binance.compare() <= 2, "its connection held"
        async with trading(traders, seed=4):
            with redis.Redis(unix_socket_path=valkey_socket(fragile.home)) as shared:
                shared.client_kill_filter(_type="pubsub")
            await seen([follower], 20)
        await ccxt.compare()
        await binance.compare()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await follower.http.aclose()
