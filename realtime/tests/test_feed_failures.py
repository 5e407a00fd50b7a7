"""A whole exchange whose parts are killed while people trade and watch.

It takes most of a minute, because it starts an exchange of its own to break.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random

import httpx
import pytest
import redis

from exchange_site.servers.addresses import valkey_socket
from exchange_site.tests.running import RunningExchange
from markets.tests.native import NativeClient, order
from realtime.tests.sockets import BookFollower, eventually
from realtime.tests.stalled import load_beside_a_stalled_reader

SYMBOL = "ETHBTC"
FUNDS = {"BTC": "1000", "ETH": "10000"}


@pytest.fixture(scope="module")
def exchange(fragile: RunningExchange) -> RunningExchange:
    """One that the tests of this file may break."""
    return fragile


@pytest.fixture(scope="module")
def traders(exchange: RunningExchange) -> list[NativeClient]:
    names = ("feed-one", "feed-two")
    return [NativeClient(exchange.url, exchange.create_user(name, fund=FUNDS)) for name in names]


@pytest.fixture
def shared_redis(exchange: RunningExchange) -> Iterator["redis.Redis"]:
    with redis.Redis(unix_socket_path=valkey_socket(exchange.home)) as connection:
        yield connection


def trade_once(traders: list[NativeClient], chance: Random) -> None:
    trader, side = chance.choice(traders), chance.choice(("buy", "sell"))
    price, quantity = f"0.0{chance.randint(49950, 50050)}", f"0.{chance.randint(10, 99)}"
    placed = trader.post("/order", order(side=side, price=price, quantity=quantity))
    if placed.status_code == 200 and placed.json()["status"] != "filled" and chance.random() < 0.5:
        trader.delete("/order", symbol=SYMBOL, order_id=placed.json()["order_id"])


@asynccontextmanager
async def trading(traders: list[NativeClient], seed: int) -> AsyncIterator[None]:
    """Random orders of two traders, one after the other, whatever becomes of them."""
    chance, going = Random(seed), True

    async def trade() -> None:
        while going:
            try:
                await asyncio.to_thread(trade_once, traders, chance)
            except httpx.TransportError:
                continue

    task = asyncio.create_task(trade())
    try:
        yield
    finally:
        going = False
        await task


async def seen(followers: list[BookFollower], count: int) -> None:
    """Wait until every follower has seen `count` more events."""
    wanted = [follower.events + count for follower in followers]

    async def enough() -> bool:
        return all(f.events >= w for f, w in zip(followers, wanted, strict=True))

    await eventually(enough, f"{count} more events")


def kill(exchange: RunningExchange, part: str) -> None:
    os.kill(exchange.process_of(part), signal.SIGKILL)


async def test_books_stay_true_whatever_is_killed(
    exchange: RunningExchange, traders: list[NativeClient], shared_redis: "redis.Redis"
) -> None:
    fast, slow = (BookFollower(exchange.url, SYMBOL, s) for s in ("depth@100ms", "depth"))
    followers = [fast, slow]
    following = [asyncio.create_task(follower.follow()) for follower in followers]
    watching = asyncio.gather(*following)
    try:
        async with trading(traders, seed=1):
            await seen(followers, 3)
            for _ in range(4):
                kill(exchange, "run_publisher")
                await seen([fast], 15)
            await seen(followers, 2)
            assert [f.resyncs for f in followers] == [1, 1], "a publisher's death closes no socket"
            for _ in range(2):
                kill(exchange, "run_engine")
                await seen([fast], 10)
            assert [f.resyncs for f in followers] == [1, 1], "nor does the engine's"
            for number in range(2, 5):
                shared_redis.client_kill_filter(_type="pubsub")
                await seen(followers, 3)
                assert [f.resyncs for f in followers] == [number, number]
        for follower in followers:
            await follower.agree()
        assert not watching.done(), watching
        assert set(fast.codes + slow.codes) == {1012}
        assert fast.compared >= 3
    finally:
        watching.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        for follower in followers:
            await follower.http.aclose()


async def test_market_data_is_there_without_an_engine(
    exchange: RunningExchange, traders: list[NativeClient]
) -> None:
    pid = exchange.process_of("run_engine")
    os.kill(pid, signal.SIGSTOP)
    try:
        for path in ("/depth", "/tickers", "/trades"):
            assert traders[0].get(path, symbol=SYMBOL).status_code == 200
        assert traders[0].get("/kline", symbol=SYMBOL, interval="1m").json()
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_stalled_reader_costs_nothing_and_is_dropped(exchange: RunningExchange) -> None:
    load = await load_beside_a_stalled_reader(exchange)
    assert load.highest - load.before < 20 * 2**20, "memory grew"
