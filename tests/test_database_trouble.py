"""The database hangs or dies under a running exchange: trading goes on."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
from websockets.asyncio.client import connect

from exchange_site.tests.processes import is_running, stopped, wait_until
from exchange_site.tests.running import RunningExchange
from markets.tests.native import NativeClient, order
from realtime.protocol import UNAVAILABLE
from realtime.tests.sockets import StreamClient, eventually, sign_in, socket_url

SOON_S = 10.0
"""Longer than a busy machine takes, and far shorter than the database is away."""

ORDERS = 15


@pytest.fixture(scope="module")
def trader(fragile: RunningExchange) -> NativeClient:
    return NativeClient(fragile.url, fragile.create_user("trader-1", fund={"BTC": "10"}))


@contextmanager
def hanging_database(exchange: RunningExchange) -> Iterator[None]:
    with stopped(exchange.database_processes()):
        yield


@contextmanager
def dead_database(exchange: RunningExchange) -> Iterator[None]:
    """Killed, and away for as long as the block: its programs' next start finds no data."""
    processes = exchange.database_processes()
    data = (exchange.home.data / "postgres").resolve()
    away = data.with_name("postgres-away")
    data.rename(away)
    os.kill(processes[0], signal.SIGKILL)
    try:
        # Those that serve connections notice it in their own time, and answer until then.
        wait_until(lambda: not any(map(is_running, processes)), "the database is dead")
        yield
    finally:
        away.rename(data)


Trouble = Callable[[RunningExchange], AbstractContextManager[None]]


def soon(answer: httpx.Response, status: int = 200) -> httpx.Response:
    assert answer.status_code == status, answer.text
    assert answer.elapsed.total_seconds() < SOON_S
    return answer


def only_the_database_is_ill(exchange: RunningExchange) -> bool:
    health = httpx.get(f"{exchange.url}/health", timeout=20)
    parts = health.json()
    ill = not parts["database"]["ok"]
    return health.status_code == 503 and ill and bool(parts["engine"]["ok"])


@pytest.mark.parametrize("trouble", [hanging_database, dead_database])
def test_trading_goes_on(fragile: RunningExchange, trader: NativeClient, trouble: Trouble) -> None:
    soon(trader.post("/order", order()))
    with trouble(fragile):
        slow = 0
        orders = []
        for _ in range(ORDERS):
            placed = trader.post("/order", order())
            out = soon(placed).json()
            orders.append(out["order_id"])
            slow += placed.elapsed.total_seconds() > 0.5
            time.sleep(0.1)  # what was read grows old
        assert slow < ORDERS / 2, "most do not wait for the database"
        by_id = {"symbol": "ETHBTC", "order_id": out["order_id"]}
        assert out in soon(trader.get("/order/open")).json()
        assert soon(trader.get("/order", **by_id)).json() == out
        assert soon(trader.delete("/order", **by_id)).json()["status"] == "canceled"
        assert soon(trader.get("/balances")).json()
        stranger = trader.send("GET", "/balances", key="s" * 64)
        assert soon(stranger, 503).json()["code"] == "DATABASE_UNAVAILABLE"
        assert stranger.headers["retry-after"]
        wait_until(lambda: only_the_database_is_ill(fragile), "health says which part is ill")
    wait_until(
        lambda: httpx.get(f"{fragile.url}/health", timeout=20).status_code == 200,
        "all is well again",
        timeout_s=90,  # whoever has waited for it for a while waits long before he tries again
    )
    wait_until(lambda: trader.get("/order/history").status_code == 200, "the history has caught up")
    history = {o["order_id"] for o in trader.get("/order/history").json()}
    assert history.issuperset(orders), "everything that happened meanwhile is there"
    assert trader.send("GET", "/balances", key="s" * 64).status_code == 401


@pytest.mark.parametrize("trouble", [hanging_database, dead_database])
async def test_market_data_goes_on(
    fragile: RunningExchange, trader: NativeClient, trouble: Trouble
) -> None:
    """Also for who is signed in: only the stream of their own has to wait."""
    headers = {"Cookie": sign_in(fragile, "trader-1"), "Origin": fragile.url}
    soon(trader.post("/order", order()))
    url = socket_url(fragile.url, "/stream")
    async with connect(url, additional_headers=headers) as socket:
        streams = StreamClient(socket)
        with trouble(fragile):
            async with asyncio.timeout(SOON_S):
                refused = await streams.ask("SUBSCRIBE", ["user"])
                assert refused["error"]["code"] == UNAVAILABLE
                joined = await streams.ask("SUBSCRIBE", ["ethbtc@depth@100ms"])
                assert joined["result"] is None
                assert (await streams.ask("LIST_SUBSCRIPTIONS"))["result"] == ["ethbtc@depth@100ms"]
            soon(await asyncio.to_thread(trader.post, "/order", order()))
            assert (await streams.next())["stream"] == "ethbtc@depth@100ms"

        async def knows_who_it_is() -> bool:
            return "result" in await streams.ask("SUBSCRIBE", ["user"])

        await eventually(knows_who_it_is, "the same socket has its account's stream")
