"""Hostile and mistaken input: a 4xx problem with a stable code, never more."""

import json
from typing import Any

import httpx
import pytest

from markets.tests.native import NativeClient, order

JSON = {"Content-Type": "application/json"}

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(scope="module")
def client(exchange: Any) -> NativeClient:
    funds = {"BTC": "0.5"}
    return NativeClient(exchange.url, exchange.create_user("bad-input", fund=funds))


def stop(**changes: object) -> dict[str, object]:
    return order(**{"type": "stop_loss_limit", "stop_price": "0.03", **changes})


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        # what the market does not take
        (order(symbol="NOPE"), 404, "UNKNOWN_MARKET"),
        (order(price="0.020001"), 422, "PRICE_OFF_TICK"),
        (order(quantity="1.0001"), 422, "QUANTITY_OFF_STEP"),
        (order(quantity="0.0001"), 422, "QUANTITY_TOO_SMALL"),
        (order(quantity="0.001"), 422, "NOTIONAL_TOO_SMALL"),
        (order(quantity="1000000"), 422, "QUANTITY_TOO_LARGE"),
        (order(quantity="9999"), 422, "INSUFFICIENT_BALANCE"),
        (order(price="0"), 422, "AMOUNT_OUT_OF_RANGE"),
        # what is no amount
        (order(price="-1"), 400, "INVALID_DECIMAL"),
        (order(price="+1"), 400, "INVALID_DECIMAL"),
        (order(price="NaN"), 400, "INVALID_DECIMAL"),
        (order(price="1e3"), 400, "INVALID_DECIMAL"),
        (order(price="1e999999"), 400, "INVALID_DECIMAL"),
        (order(price="１.5"), 400, "INVALID_DECIMAL"),  # noqa: RUF001
        (order(price=" 1"), 400, "INVALID_DECIMAL"),
        (order(price=".5"), 400, "INVALID_DECIMAL"),
        (order(price=""), 400, "INVALID_DECIMAL"),
        (order(price="9" * 30_000), 400, "INVALID_DECIMAL"),
        (order(price=0.01), 400, "INVALID_DECIMAL"),
        (order(quantity=1), 400, "INVALID_DECIMAL"),
        (order(price="0.000000001"), 400, "TOO_MANY_DECIMALS"),
        (order(price=str(2**63)), 422, "AMOUNT_OUT_OF_RANGE"),
        # what is no order
        (order(amount="1"), 400, "UNKNOWN_FIELD"),
        (order(symbol=None), 400, "MISSING_FIELD"),
        (order(price=None), 400, "MISSING_FIELD"),
        (order(quantity=None), 400, "MISSING_FIELD"),
        (order(type="market", quantity=None, price=None), 400, "MISSING_FIELD"),
        (order(type="market"), 400, "INVALID_FIELD"),
        (order(type="market", price=None, quote_quantity="1"), 400, "INVALID_FIELD"),
        (
            order(type="market", side="sell", price=None, quantity=None, quote_quantity="1"),
            400,
            "INVALID_FIELD",
        ),
        (order(quote_quantity="1"), 400, "INVALID_FIELD"),
        (order(type="market", price=None, time_in_force="gtc"), 422, "INVALID_ORDER"),
        (order(time_in_force="ioc", post_only=True), 422, "INVALID_ORDER"),
        (order(time_in_force="gtd"), 400, "MISSING_FIELD"),
        (order(good_till=1), 400, "INVALID_FIELD"),
        (order(time_in_force="gtd", good_till=1), 422, "INVALID_ORDER"),
        (order(time_in_force="gtd", good_till=10**30), 400, "INVALID_FIELD"),
        (order(side="BUY"), 400, "INVALID_FIELD"),
        (order(type="stop"), 400, "INVALID_FIELD"),
        (order(stop_price="0.02"), 400, "INVALID_FIELD"),
        (order(trailing_delta=1), 400, "INVALID_FIELD"),
        (order(protection_price="0.02"), 400, "INVALID_FIELD"),
        (order(type="market", price=None, visible_quantity="1"), 400, "INVALID_FIELD"),
        (order(visible_quantity="2"), 422, "INVALID_ORDER"),
        (order(visible_quantity="0.0005"), 422, "QUANTITY_OFF_STEP"),
        (order(visible_quantity="0.009"), 422, "TOO_MANY_PARTS"),
        (order(self_trade_prevention="some"), 400, "INVALID_FIELD"),
        (stop(stop_price=None), 400, "MISSING_FIELD"),
        (stop(price=None), 400, "MISSING_FIELD"),
        (stop(quantity=None), 400, "MISSING_FIELD"),
        (stop(quote_quantity="1"), 400, "INVALID_FIELD"),
        (stop(type="stop_loss"), 400, "INVALID_FIELD"),
        (stop(trailing_delta=0), 400, "INVALID_FIELD"),
        (stop(trailing_delta=5_001), 400, "INVALID_FIELD"),
        (stop(trailing_delta="1"), 400, "INVALID_FIELD"),
        (stop(stop_price="0.020001"), 422, "PRICE_OFF_TICK"),
        (stop(post_only=True), 422, "INVALID_ORDER"),
        (order(symbol="eth/btc"), 400, "INVALID_FIELD"),
        (order(client_order_id="a b"), 400, "INVALID_FIELD"),
        (order(client_order_id="x" * 37), 400, "INVALID_FIELD"),
        (order(client_order_id=7), 400, "INVALID_FIELD"),
        (order(post_only="yes"), 400, "INVALID_FIELD"),
    ],
)
def test_orders(client: NativeClient, fields: dict[str, object], status: int, code: str) -> None:
    answer = client.post("/order", fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/order/open").json() == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[]", 400, "INVALID_JSON"),
        (b"{", 400, "INVALID_JSON"),
        (b'"order"', 400, "INVALID_JSON"),
        (b"\xff\xfe", 400, "INVALID_JSON"),
        (b'{"symbol": "ETHBTC", "symbol": "BTCUSDT"}', 400, "INVALID_JSON"),
        (b'{"symbol": NaN}', 400, "INVALID_JSON"),
        (b"[" * 50_000, 400, "INVALID_JSON"),
        (b'{"symbol": ' + b"9" * 10_000 + b"}", 400, "INVALID_JSON"),
        (json.dumps({"symbol": "x" * 1_000_000}).encode(), 413, "BODY_TOO_LARGE"),
        (b" " * 65_537, 413, "BODY_TOO_LARGE"),
    ],
)
def test_bodies(client: NativeClient, body: bytes, status: int, code: str) -> None:
    answer = client.send("POST", "/order", body=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_a_chunked_body_is_measured_too(exchange: Any) -> None:
    chunks = (b" " * 10_000 for _ in range(10))
    answer = httpx.post(f"{exchange.url}/api/v1/auth/token", content=chunks, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


def test_another_media_type(exchange: Any) -> None:
    answer = httpx.post(f"{exchange.url}/api/v1/auth/token", data={"username": "x"})
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/depth", {}, 400, "MISSING_FIELD"),
        ("/depth", {"symbol": "NOPE"}, 404, "UNKNOWN_MARKET"),
        ("/depth", {"symbol": "ETHBTC", "limit": "0"}, 400, "INVALID_FIELD"),
        ("/depth", {"symbol": "ETHBTC", "limit": "1e2"}, 400, "INVALID_FIELD"),
        ("/kline", {"symbol": "ETHBTC", "interval": "2m"}, 400, "INVALID_FIELD"),
        ("/kline", {"symbol": "ETHBTC"}, 400, "MISSING_FIELD"),
        ("/trades", {"symbol": "ETHBTC", "from_id": "-1"}, 400, "INVALID_FIELD"),
        ("/tickers", {"symbol": "'; DROP TABLE"}, 400, "INVALID_FIELD"),
        ("/order", {"symbol": "ETHBTC"}, 400, "MISSING_FIELD"),
        ("/order", {"symbol": "ETHBTC", "order_id": 1, "x": 1}, 400, "UNKNOWN_FIELD"),
        ("/order", {"symbol": "ETHBTC", "order_id": 2**63 - 1}, 404, "UNKNOWN_ORDER"),
        ("/order", {"symbol": "ETHBTC", "order_id": 2**63}, 400, "INVALID_FIELD"),
        ("/balances", {"asset": "BTC"}, 400, "UNKNOWN_FIELD"),
        ("/nowhere", {}, 404, "NOT_FOUND"),
    ],
)
def test_queries(
    client: NativeClient, path: str, query: dict[str, object], status: int, code: str
) -> None:
    answer = client.get(path, **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_wrong_method(client: NativeClient) -> None:
    answer = client.send("PUT", "/order")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
