"""Weights by address, orders by account: counted, told in headers, refused, banned."""

import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings

from accounts.counting import run_count
from markets.binance import limits
from markets.binance.endpoints import API_V3, BESIDE
from markets.binance.limits import (
    DAY,
    FIRST_BAN_S,
    LONGEST_BAN_S,
    MAX_VIOLATIONS,
    TooManyOrders,
    TooMuchWeight,
    order_counts,
    orders_of,
    weight_of,
)
from markets.binance.tests.client import BinanceClient, market, order, said

HERE = "192.0.2.1"
LIMIT = 100


NOW = 1_760_000_000.0


@pytest.fixture
def small(settings: Settings, shared_redis: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Low limits, and a clock that stands: no window ends meanwhile."""
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: NOW))
    settings.BINANCE_REQUEST_WEIGHT_PER_MINUTE = LIMIT
    settings.BINANCE_ORDERS_PER_10_SECONDS = 3
    settings.BINANCE_ORDERS_PER_DAY = 5
    return shared_redis


@pytest.mark.parametrize(
    ("method", "path", "parameters", "weight"),
    [
        ("GET", "ping", {}, 1),
        ("GET", "exchangeInfo", {}, 20),
        ("GET", "depth", {"symbol": "X"}, 5),
        ("GET", "depth", {"limit": "100"}, 5),
        ("GET", "depth", {"limit": "101"}, 25),
        ("GET", "depth", {"limit": "500"}, 25),
        ("GET", "depth", {"limit": "501"}, 50),
        ("GET", "depth", {"limit": "1001"}, 250),
        ("GET", "depth", {"limit": "9" * 9_000}, 250),
        ("GET", "depth", {"limit": "many"}, 5),
        ("GET", "trades", {}, 25),
        ("GET", "historicalTrades", {}, 25),
        ("GET", "aggTrades", {}, 4),
        ("GET", "klines", {}, 2),
        ("GET", "uiKlines", {}, 2),
        ("GET", "avgPrice", {}, 2),
        ("GET", "ticker/24hr", {"symbol": "X"}, 2),
        ("GET", "ticker/24hr", {"symbols": '["X","Y"]'}, 2),
        ("GET", "ticker/24hr", {"symbols": ",".join("X" * 21)}, 40),
        ("GET", "ticker/24hr", {"symbols": ",".join("X" * 101)}, 80),
        ("GET", "ticker/24hr", {}, 80),
        ("GET", "ticker/price", {"symbol": "X"}, 2),
        ("GET", "ticker/price", {}, 4),
        ("GET", "ticker/bookTicker", {"symbol": "X"}, 2),
        ("GET", "ticker/bookTicker", {"symbols": '["X"]'}, 4),
        ("POST", "order", {}, 1),
        ("GET", "order", {}, 4),
        ("DELETE", "order", {}, 1),
        ("POST", "order/test", {}, 1),
        ("POST", "order/test", {"computeCommissionRates": "true"}, 20),
        ("GET", "openOrders", {"symbol": "X"}, 6),
        ("GET", "openOrders", {}, 80),
        ("DELETE", "openOrders", {}, 1),
        ("GET", "allOrders", {}, 20),
        ("GET", "account", {}, 20),
        ("GET", "account/commission", {}, 20),
        ("GET", "myTrades", {}, 20),
        ("GET", "myTrades", {"orderId": "1"}, 5),
        ("GET", "rateLimit/order", {}, 40),
        ("GET", "openOrderList", {}, 6),
        ("GET", "allOrderList", {}, 20),
        ("POST", "userDataStream", {}, 2),
    ],
)
def test_weights(method: str, path: str, parameters: dict[str, str], weight: int) -> None:
    assert API_V3[path][method].weight(parameters) == weight


def test_nothing_is_free() -> None:
    for methods in (*API_V3.values(), *BESIDE.values()):
        assert all(endpoint.weight({}) > 0 for endpoint in methods.values())


def test_too_much_and_then_a_ban(small: Any) -> None:
    assert run_count(weight_of(address=HERE, weight=60)).weight == 60
    assert run_count(weight_of(address=HERE, weight=40)).headers() == {
        "X-MBX-USED-WEIGHT": "100",
        "X-MBX-USED-WEIGHT-1M": "100",
    }
    for _ in range(MAX_VIOLATIONS):
        with pytest.raises(TooMuchWeight) as refused:
            run_count(weight_of(address=HERE, weight=1))
        assert (refused.value.status, refused.value.code) == (429, -1003)
        assert refused.value.text == (
            f"Too much request weight used; current limit is {LIMIT} request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
        assert refused.value.used.weight > LIMIT
        assert refused.value.retry_at_ms % 60_000 == 0
        assert 0 < refused.value.retry_after_s <= 60
    for _ in range(2):
        with pytest.raises(TooMuchWeight) as banned:
            run_count(weight_of(address=HERE, weight=1))
        assert (banned.value.status, banned.value.code) == (418, -1003)
        assert re.fullmatch(
            r"Way too much request weight used; IP banned until [0-9]{13}\. Please use WebSocket "
            r"Streams for live updates to avoid bans\.",
            banned.value.text,
        )
        assert str(banned.value.retry_at_ms) in banned.value.text
        assert banned.value.used.weight == LIMIT + MAX_VIOLATIONS + 1, "no more is counted"
        assert 0 < banned.value.retry_after_s <= FIRST_BAN_S
    assert run_count(weight_of(address="192.0.2.2", weight=1)).weight == 1, "others go on"


def test_bans_grow(small: Any) -> None:
    lengths = []
    for _ in range(14):
        small.delete(f"binance:ban:{HERE}")
        for _ in range(MAX_VIOLATIONS + 1):
            with pytest.raises(TooMuchWeight) as refused:
                run_count(weight_of(address=HERE, weight=LIMIT + 1))
        assert refused.value.status == 418
        lengths.append(round(refused.value.retry_after_s))
    assert lengths[:4] == [120, 240, 480, 960]
    assert lengths[-1] == LONGEST_BAN_S


def test_orders_of_an_account(small: Any) -> None:
    for number in (1, 2):
        counts = run_count(orders_of(account=7, number=1))
        assert counts == (number, number)
    with pytest.raises(TooManyOrders) as refused:
        run_count(orders_of(account=7, number=2))
    assert (refused.value.status, refused.value.code, refused.value.text) == (
        429,
        -1015,
        "Too many new orders; current limit is 3 orders per 10 SECOND.",
    )
    assert refused.value.used == (2, 2)
    assert 0 < refused.value.retry_after_s <= 10
    assert order_counts(account=7) == (2, 2), "one that was refused is not counted"
    for key in small.keys("binance:orders:7:10:*"):
        small.delete(key)
    assert run_count(orders_of(account=7, number=3)) == (3, 5)
    for key in small.keys("binance:orders:7:10:*"):
        small.delete(key)
    with pytest.raises(TooManyOrders) as refused:
        run_count(orders_of(account=7, number=1))
    assert refused.value.text == "Too many new orders; current limit is 5 orders per 1 DAY."
    assert refused.value.used == (0, 5)
    assert refused.value.retry_at_ms % (DAY * 1_000) == 0
    assert run_count(orders_of(account=8, number=1)) == (1, 1)


def test_without_redis_all_pass(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    assert run_count(weight_of(address=HERE, weight=10**9)).weight == 0
    assert run_count(orders_of(account=7, number=10**9)) == (0, 0)
    assert order_counts(account=7) == (0, 0)


def test_an_address_is_counted_told_and_refused(exchange: Any) -> None:
    credentials = exchange.create_user("v3-counted", tier="default", fund={"BTC": "1"})
    client = BinanceClient(exchange.url, credentials, address="127.0.1.8")
    used = int(client.public("ping").headers["x-mbx-used-weight-1m"])
    for answer, weight in (
        (client.public("depth", symbol="ETHBTC", limit=1000), 50),
        (client.get("account"), 20),
        (client.raw("GET", "account"), 20),
        (client.raw("GET", "depth", query="symbol=%ff"), 1),
    ):
        now = int(answer.headers["x-mbx-used-weight"])
        assert now in {used + weight, weight}, "or a new minute has begun"
        assert answer.headers["x-mbx-used-weight-1m"] == str(now)
        used = now
    for _ in range(60):
        answer = client.public("depth", symbol="ETHBTC", limit=5000)
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert int(answer.headers["x-mbx-used-weight-1m"]) > 6_000
    code, text = said(answer)
    assert code == -1003
    assert text.startswith("Too much request weight used; current limit is 6000 request weight")


def test_a_maker_is_not_counted(exchange: Any) -> None:
    maker = BinanceClient(exchange.url, exchange.create_user("v3-maker"), address="127.0.1.9")
    for _ in range(3):
        assert maker.get("account").headers["x-mbx-used-weight"] in {"0", "20"}
    assert maker.get("account").headers["x-mbx-used-weight"] == "0"
    assert maker.get("rateLimit/order").json()[0]["count"] == 0


def test_orders_are_counted_and_told(exchange: Any) -> None:
    credentials = exchange.create_user("v3-orders", tier="default", fund={"BTC": "5"})
    client = BinanceClient(exchange.url, credentials, address="127.0.1.10")
    first = client.post("order", **order())
    assert first.headers["x-mbx-order-count-1d"] == "1"
    assert first.headers["x-mbx-order-count-10s"] == "1"
    client.post("order", **market(quantity="0.001"))
    usage = client.get("rateLimit/order").json()
    assert [(u["interval"], u["intervalNum"], u["limit"]) for u in usage] == [
        ("SECOND", 10, 100),
        ("DAY", 1, 200_000),
    ]
    assert usage[1]["count"] == 2
    client.delete("openOrders", symbol="ETHBTC")
    with ThreadPoolExecutor(8) as pool:  # a hundred within ten seconds, on any machine
        answers = list(
            pool.map(lambda _: client.post("order", **order(price="0.00001")), range(250))
        )
    answer = next(answer for answer in answers if answer.status_code == 429)
    assert said(answer) == (
        -1015,
        "Too many new orders; current limit is 100 orders per 10 SECOND.",
    )
    assert "retry-after" not in answer.headers
    assert answer.headers["x-mbx-order-count-10s"] == "100"
    client.delete("openOrders", symbol="ETHBTC")
