"""`/api/v3` while the engine, or the shared Redis, stands still: late orders are refused, others go
on, and nobody is told a lie."""

import os
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from accounts import counting
from engine.connections import connect
from engine.wire import QUEUE_KEY
from exchange_site.servers.addresses import valkey_socket
from exchange_site.tests.processes import stopped, wait_until
from exchange_site.tests.running import RunningExchange
from exchange_site.threads import THREADS
from markets.binance.tests.client import BinanceClient, order, said

RECV_WINDOW_MS = 2_500
LATE_MS = RECV_WINDOW_MS + 1_000
UNCOUNTED = 10
"""Orders."""

LATE = (-1021, "Timestamp for this request is outside of the recvWindow.")


@pytest.fixture(scope="module")
def client(fragile: RunningExchange) -> BinanceClient:
    return BinanceClient(fragile.url, fragile.create_user("v3-trouble", fund={"BTC": "5"}))


def while_the_engine_stands(fragile: RunningExchange, request: Any, until: Any) -> httpx.Response:
    """The answer to a request that the engine only sees once `until` holds."""
    engine = fragile.process_of("run_engine")
    os.kill(engine, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as pool, connect(fragile.engine_redis_url) as server:
            answer: Future[httpx.Response] = pool.submit(request)
            wait_until(lambda: server.llen(QUEUE_KEY), "the order waits in the queue")
            wait_until(lambda: until(answer), "the engine is late enough")
            os.kill(engine, signal.SIGCONT)
            return answer.result(20)
    finally:
        os.kill(engine, signal.SIGCONT)


def test_an_order_that_its_recv_window_outlived_is_not_placed(
    fragile: RunningExchange, client: BinanceClient
) -> None:
    assert client.get("openOrders").json() == [], "from here on the web knows the engine's time"
    began = time.monotonic()
    answer = while_the_engine_stands(
        fragile,
        lambda: client.post("order", **order(recvWindow=RECV_WINDOW_MS)),
        lambda _: (time.monotonic() - began) * 1_000 > LATE_MS,
    )
    assert (answer.status_code, *said(answer)) == (400, *LATE)
    assert client.get("openOrders").json() == []


def test_what_waited_longer_than_its_window_for_a_thread_cancels_nothing(
    fragile: RunningExchange,
) -> None:
    """An order that was placed meanwhile would be cancelled by whoever has given up long ago."""
    user = fragile.create_user("v3-late", fund={"BTC": "5"})
    trader, late = BinanceClient(fragile.url, user), BinanceClient(fragile.url, user)
    assert trader.post("order", **order()).status_code == 200
    window: dict[str, object] = {"symbol": "ETHBTC", "recvWindow": RECV_WINDOW_MS}
    with ThreadPoolExecutor(THREADS + 2) as pool, connect(fragile.engine_redis_url) as server:
        with stopped([fragile.process_of("run_engine")]):
            for _ in range(THREADS):
                pool.submit(trader.get, "openOrders", symbol="ETHBTC", recvWindow=60_000)
            wait_until(lambda: server.llen(QUEUE_KEY) >= THREADS, "no thread is free")
            began = time.monotonic()
            answers = [
                pool.submit(late.delete, "openOrders", **window),
                pool.submit(late.delete, "orderList", orderListId=1, **window),
            ]
            wait_until(lambda: (time.monotonic() - began) * 1_000 > LATE_MS, "it is late")
        for answer in answers:
            assert said(answer.result(20)) == LATE
    assert len(trader.get("openOrders").json()) == 1


def test_an_order_without_an_answer_has_an_unknown_status(
    fragile: RunningExchange, client: BinanceClient
) -> None:
    name = "asked-for-later"
    answer = while_the_engine_stands(
        fragile,
        lambda: client.post("order", **order(newClientOrderId=name, recvWindow=60_000)),
        lambda answered: answered.done(),
    )
    assert (answer.status_code, *said(answer)) == (
        504,
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status "
        "unknown.",
    )
    by_name = {"symbol": "ETHBTC", "origClientOrderId": name}
    assert client.get("order", **by_name).json()["status"] == "NEW", "it was placed after all"


def test_market_data_goes_on(fragile: RunningExchange, client: BinanceClient) -> None:
    engine = fragile.process_of("run_engine")
    os.kill(engine, signal.SIGSTOP)
    try:
        symbol: dict[str, object] = {"symbol": "ETHBTC"}
        for path, parameters in (
            ("ping", {}),
            ("exchangeInfo", {}),
            ("depth", symbol),
            ("ticker/24hr", {}),
            ("klines", {**symbol, "interval": "1m"}),
        ):
            assert client.public(path, **parameters).status_code == 200, path
    finally:
        os.kill(engine, signal.SIGCONT)


def test_orders_go_on_uncounted_while_the_shared_redis_hangs(fragile: RunningExchange) -> None:
    """The first one waits, for a second, and later ones wait for none."""
    user = fragile.create_user("v3-uncounted", fund={"BTC": "5"}, tier="default")
    trader = BinanceClient(fragile.url, user)
    assert trader.post("order", **order()).headers["x-mbx-order-count-1d"] == "1"
    with connect(f"unix://{valkey_socket(fragile.home)}") as shared:
        hangs = int(shared.info("server")["process_id"])
    with stopped([hangs]):
        began = time.monotonic()
        for _ in range(UNCOUNTED):
            answer = trader.post("order", **order(recvWindow=60_000))
            assert answer.status_code == 200, answer.text
            assert answer.headers["x-mbx-order-count-1d"] == "0"
        assert time.monotonic() - began < UNCOUNTED * counting.PATIENCE_S, "not each has waited"
    wait_until(
        lambda: trader.post("order", **order()).headers["x-mbx-order-count-1d"] != "0",
        "orders are counted again",
        pause_s=0.2,
    )
