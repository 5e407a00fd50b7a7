"""Placing, asking for and cancelling orders over `/api/v1`."""

import uuid
from typing import Any

import pytest

from exchange_site.tests.processes import wait_until
from markets.tests.native import NativeClient, order

FUNDS = {"BTC": "10", "ETH": "100"}

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(scope="module")
def buyer(exchange: Any) -> NativeClient:
    return NativeClient(exchange.url, exchange.create_user("order-buyer", fund=FUNDS))


@pytest.fixture(scope="module")
def seller(exchange: Any) -> NativeClient:
    return NativeClient(exchange.url, exchange.create_user("order-seller", fund=FUNDS))


def test_an_order_stands_and_is_cancelled(buyer: NativeClient) -> None:
    placed = buyer.post("/order", order())
    assert placed.status_code == 200, placed.text
    out = placed.json()
    assert set(out) == {
        "symbol", "side", "type", "time_in_force", "price", "quantity", "quote_quantity",
        "post_only", "client_order_id", "good_till", "order_id", "status", "executed_quantity",
        "executed_quote_quantity", "created_at", "updated_at", "fills", "protection_price",
        "stop_price", "trailing_delta", "visible_quantity", "self_trade_prevention",
        "prevented_quantity", "list_id", "working_since",
    }  # fmt: skip
    assert out["status"] == "new"
    assert (out["price"], out["quantity"]) == ("0.02000000", "1.00000000")
    assert out["time_in_force"] == "gtc"
    by_id = {"symbol": "ETHBTC", "order_id": out["order_id"]}
    assert buyer.get("/order", **by_id).json() == out
    assert out in buyer.get("/order/open").json()
    canceled = buyer.delete("/order", **by_id)
    assert canceled.json()["status"] == "canceled"
    assert buyer.get("/order", **by_id).json()["status"] == "canceled"
    again = buyer.delete("/order", **by_id)
    assert (again.status_code, again.json()["code"]) == (404, "UNKNOWN_ORDER")


def test_two_orders_meet(buyer: NativeClient, seller: NativeClient) -> None:
    quantity = "0.5"
    sold = seller.post("/order", order(side="sell", price="0.05", quantity=quantity)).json()
    bought = buyer.post("/order", order(price="0.05", quantity=quantity))
    assert bought.status_code == 200, bought.text
    out = bought.json()
    assert out["status"] == "filled"
    assert (out["executed_quantity"], out["executed_quote_quantity"]) == (
        "0.50000000",
        "0.02500000",
    )
    (fill,) = out["fills"]
    assert (fill["price"], fill["quantity"]) == ("0.05000000", "0.50000000")
    assert (fill["fee"], fill["fee_asset"]) == ("0.00050000", "ETH")
    assert fill["liquidity"] == "taker"
    maker = seller.get("/order", symbol="ETHBTC", order_id=sold["order_id"]).json()
    assert maker["status"] == "filled"
    assert maker["fills"][0]["liquidity"] == "maker"
    assert maker["fills"][0]["trade_id"] == fill["trade_id"]
    (public,) = [
        trade
        for trade in buyer.get("/trades", symbol="ETHBTC").json()
        if trade["trade_id"] == fill["trade_id"]
    ]
    assert public["taker_side"] == "buy"
    mine = buyer.get("/fills", symbol="ETHBTC", order_id=out["order_id"]).json()
    assert [f["trade_id"] for f in mine] == [fill["trade_id"]]
    assert out["order_id"] in [o["order_id"] for o in buyer.get("/order/history").json()]


def test_a_partly_filled_order_has_its_fills(buyer: NativeClient, seller: NativeClient) -> None:
    """Wherever it is answered: asked for, among the open ones, cancelled, and in the history."""
    sold = seller.post("/order", order(side="sell", price="0.05", quantity="1")).json()
    trades = [
        buyer.post("/order", order(price="0.05", quantity=quantity)).json()["fills"][0]["trade_id"]
        for quantity in ("0.1", "0.2")
    ]
    by_id = {"symbol": "ETHBTC", "order_id": sold["order_id"]}
    wait_until(
        lambda: len(seller.get("/order", **by_id).json()["fills"]) == 2, "the tables have both"
    )
    (listed,) = [o for o in seller.get("/order/open").json() if o["order_id"] == sold["order_id"]]
    assert [fill["trade_id"] for fill in listed["fills"]] == trades
    assert seller.get("/order", **by_id).json() == listed
    canceled = seller.delete("/order", **by_id).json()
    assert (canceled["status"], canceled["fills"]) == ("canceled", listed["fills"])
    assert canceled in seller.get("/order/history").json()


def test_balances_follow(exchange: Any) -> None:
    client = NativeClient(exchange.url, exchange.create_user("order-balances", fund={"BTC": "1"}))
    assert client.get("/balances").json() == [
        {"asset": "BTC", "available": "1.00000000", "locked": "0.00000000"}
    ]
    placed = client.post("/order", order(quantity="10")).json()
    assert client.get("/balances").json() == [
        {"asset": "BTC", "available": "0.80000000", "locked": "0.20000000"}
    ]
    client.delete("/order", symbol="ETHBTC", order_id=placed["order_id"])
    assert client.get("/balances").json()[0]["locked"] == "0.00000000"


def test_a_new_account_has_no_balances(exchange: Any) -> None:
    client = NativeClient(exchange.url, exchange.create_user("order-nothing"))
    assert client.get("/balances").json() == []
    assert client.get("/order/open").json() == []
    refused = client.post("/order", order())
    assert (refused.status_code, refused.json()["code"]) == (422, "INSUFFICIENT_BALANCE")


def test_the_same_order_twice_is_one_order(buyer: NativeClient) -> None:
    name = f"twice-{uuid.uuid4().hex[:20]}"
    first = buyer.post("/order", order(client_order_id=name)).json()
    assert buyer.post("/order", order(client_order_id=name)).json() == first
    other = buyer.post("/order", order(client_order_id=name, quantity="2"))
    assert (other.status_code, other.json()["code"]) == (409, "KEY_REUSED")
    asked = buyer.get("/order", symbol="ETHBTC", client_order_id=name).json()
    assert asked["order_id"] == first["order_id"]
    canceled = buyer.send(
        "DELETE", "/order", body=f'{{"symbol":"ETHBTC","client_order_id":"{name}"}}'.encode()
    )
    assert canceled.json()["status"] == "canceled"
    assert buyer.post("/order", order(client_order_id=name)).json() == first


def test_someone_elses_order_is_not_there(buyer: NativeClient, seller: NativeClient) -> None:
    placed = buyer.post("/order", order()).json()
    by_id = {"symbol": "ETHBTC", "order_id": placed["order_id"]}
    by_name = {"symbol": "ETHBTC", "client_order_id": placed["client_order_id"]}
    for theirs in (by_id, by_name):
        for answer in (seller.get("/order", **theirs), seller.delete("/order", **theirs)):
            assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_ORDER")
    assert placed["order_id"] not in [o["order_id"] for o in seller.get("/order/open").json()]
    assert buyer.delete("/order", **by_id).status_code == 200


def test_a_market_order_takes_what_is_there(buyer: NativeClient, seller: NativeClient) -> None:
    seller.post("/order", order(side="sell", price="0.05", quantity="1"))
    out = buyer.post(
        "/order", order(type="market", price=None, quantity=None, quote_quantity="0.05")
    ).json()
    assert (out["status"], out["time_in_force"]) == ("filled", "ioc")
    assert out["executed_quote_quantity"] == "0.05000000"


def test_post_only_does_not_take(buyer: NativeClient, seller: NativeClient) -> None:
    ask = seller.post("/order", order(side="sell", price="0.05", quantity="1")).json()
    refused = buyer.post("/order", order(price="0.05", post_only=True))
    assert (refused.status_code, refused.json()["code"]) == (422, "WOULD_TAKE")
    seller.delete("/order", symbol="ETHBTC", order_id=ask["order_id"])


def test_depth(buyer: NativeClient) -> None:
    before = buyer.get("/depth", symbol="ETHBTC").json()
    placed = buyer.post("/order", order(price="0.02001", quantity="3")).json()
    level = ["0.02001000", "3.00000000"]

    def depth() -> Any:
        return buyer.get("/depth", symbol="ETHBTC", limit=5000).json()

    # The publisher follows the engine.
    wait_until(lambda: level in depth()["bids"], "the order stands in the depth")
    after = depth()
    assert after["last_update_id"] > before["last_update_id"]
    buyer.delete("/order", symbol="ETHBTC", order_id=placed["order_id"])


def test_tickers(buyer: NativeClient) -> None:
    every = {ticker["symbol"] for ticker in buyer.get("/tickers").json()}
    assert {"BTCUSDT", "ETHUSDT", "SOLUSDT", "ETHBTC"} <= every
    assert buyer.get("/tickers", symbol="ETHBTC").json()["symbol"] == "ETHBTC"
