"""Placing and cancelling several orders with one call."""

import json
import uuid
from typing import Any

import httpx
import pytest

from markets.tests.native import NativeClient, order

FUNDS = {"BTC": "10", "ETH": "100"}

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(scope="module")
def trader(exchange: Any) -> NativeClient:
    return NativeClient(exchange.url, exchange.create_user("orders-trader", fund=FUNDS))


def cancel_these(client: NativeClient, *orders: object) -> httpx.Response:
    return client.send("DELETE", "/orders", body=_encoded({"orders": orders}))


def _encoded(fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_each_order_has_its_own_result_in_order(trader: NativeClient) -> None:
    answer = trader.post(
        "/orders",
        {
            "orders": [
                order(quantity="1"),
                order(quantity="1.0001"),
                order(surprise="1"),
                "no order",
                order(symbol="NOSUCH"),
                order(quantity="9000"),
                order(quantity="2", client_order_id="list-2"),
            ]
        },
    )
    assert answer.status_code == 200, answer.text
    results = answer.json()
    assert [r.get("code") or r["status"] for r in results] == [
        "new",
        "QUANTITY_OFF_STEP",
        "UNKNOWN_FIELD",
        "INVALID_FIELD",
        "UNKNOWN_MARKET",
        "INSUFFICIENT_BALANCE",
        "new",
    ]
    assert results[6]["client_order_id"] == "list-2"
    first, last = results[0], results[6]
    canceled = cancel_these(
        trader,
        {"symbol": "ETHBTC", "order_id": first["order_id"]},
        {"symbol": "ETHBTC"},
        {"symbol": "ETHBTC", "client_order_id": "list-2"},
        {"symbol": "ETHBTC", "order_id": first["order_id"]},
    ).json()
    assert [c.get("code") or c["status"] for c in canceled] == [
        "canceled",
        "MISSING_FIELD",
        "canceled",
        "UNKNOWN_ORDER",
    ]
    assert canceled[2]["order_id"] == last["order_id"]


def test_a_hundred_at_most(trader: NativeClient) -> None:
    for orders in ([], [order()] * 101, "all", None):
        refused = trader.post("/orders", {"orders": orders})
        assert (refused.status_code, refused.json()["field"]) == (400, "orders")
    placed = trader.post("/orders", {"orders": [order(quantity="0.01")] * 100}).json()
    assert {result["status"] for result in placed} == {"new"}
    assert len({result["order_id"] for result in placed}) == 100
    assert len(trader.delete("/orders", symbol="ETHBTC").json()) == 100


def test_the_same_orders_twice_are_the_same_orders(trader: NativeClient) -> None:
    orders = [order(client_order_id=f"again-{uuid.uuid4().hex[:16]}") for _ in range(3)]
    first = trader.post("/orders", {"orders": orders}).json()
    assert trader.post("/orders", {"orders": orders}).json() == first
    trader.delete("/orders")


def test_cancel_all_of_one_market_or_of_all(exchange: Any) -> None:
    exchange.define_market("CANCELBTC", base="ETH", quote="BTC", tick="0.00001", step="0.001")
    client = NativeClient(exchange.url, exchange.create_user("orders-cancel", fund={"BTC": "10"}))
    here, there = order(), order(symbol="CANCELBTC")
    placed = client.post("/orders", {"orders": [here, there, here]}).json()
    assert [r["status"] for r in placed] == ["new"] * 3
    canceled = client.delete("/orders", symbol="ETHBTC").json()
    assert [c["order_id"] for c in canceled] == [placed[0]["order_id"], placed[2]["order_id"]]
    assert [o["symbol"] for o in client.get("/order/open").json()] == ["CANCELBTC"]
    assert [c["status"] for c in client.delete("/orders").json()] == ["canceled"]
    assert client.delete("/orders").json() == []


def test_nobody_cancels_what_is_not_theirs(trader: NativeClient, exchange: Any) -> None:
    other = NativeClient(exchange.url, exchange.create_user("orders-other", fund={"BTC": "1"}))
    placed = trader.post("/order", order()).json()
    by_id = {"symbol": "ETHBTC", "order_id": placed["order_id"]}
    assert cancel_these(other, by_id).json()[0]["code"] == "UNKNOWN_ORDER"
    assert other.delete("/orders").json() == []
    assert cancel_these(trader, by_id).json()[0]["status"] == "canceled"


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ({"symbol": "NOSUCH"}, b"", "UNKNOWN_MARKET"),
        ({"order_id": 1}, b"", "UNKNOWN_FIELD"),
        ({"symbol": "ETHBTC"}, b'{"symbol": "ETHBTC"}', "INVALID_FIELD"),
        ({"symbol": "ETHBTC"}, b'{"orders": [{"order_id": 1}]}', "INVALID_FIELD"),
        ({}, b'{"orders": []}', "INVALID_FIELD"),
        ({}, b'{"orders": 1, "orders": 2}', "INVALID_JSON"),
        ({}, b'{"order": []}', "UNKNOWN_FIELD"),
    ],
)  # fmt: skip
def test_a_cancel_that_could_mean_two_things(
    trader: NativeClient, query: dict[str, object], body: bytes, code: str
) -> None:
    refused = trader.send("DELETE", "/orders", query, body)
    assert refused.json()["code"] == code


def test_only_known_callers_and_methods(exchange: Any, trader: NativeClient) -> None:
    url = f"{exchange.url}/api/v1/orders"
    assert httpx.post(url, json={"orders": [order()]}).status_code == 401
    assert httpx.delete(url).status_code == 401
    assert trader.get("/orders").status_code == 405
    reader = NativeClient(exchange.url, exchange.create_user("orders-reader", scope=("read",)))
    assert reader.post("/orders", {"orders": [order()]}).json()["code"] == "SCOPE_MISSING"
