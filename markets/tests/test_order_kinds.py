"""Conditional orders, icebergs, lists, changes and timers over `/api/v1`, in a market of their own.

Its last price is 0.05 when each test begins.
"""

import uuid
from typing import Any

import pytest

from exchange_site.tests.processes import wait_until
from markets.tests.native import NativeClient, order

FUNDS = {"BTC": "100", "ETH": "1000"}
MARKET = "KINDS"


@pytest.fixture(scope="module")
def market(exchange: Any) -> str:
    exchange.define_market(MARKET, base="ETH", quote="BTC", tick="0.00001", step="0.001")
    return MARKET


@pytest.fixture(scope="module")
def trader(exchange: Any, market: str) -> NativeClient:
    return NativeClient(exchange.url, exchange.create_user("kinds-trader", fund=FUNDS))


@pytest.fixture(scope="module")
def other(exchange: Any, market: str) -> NativeClient:
    return NativeClient(exchange.url, exchange.create_user("kinds-other", fund=FUNDS))


@pytest.fixture(autouse=True)
def last_price(trader: NativeClient, other: NativeClient) -> None:
    for client in (trader, other):
        client.delete("/orders", symbol=MARKET)
    trade_at(other, "0.05")


def trade_at(client: NativeClient, price: str) -> None:
    place(client, side="sell", price=price, quantity="0.01")
    place(client, price=price, quantity="0.01")


def place(client: NativeClient, **changes: object) -> Any:
    answer = client.post("/order", order(symbol=MARKET, **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


def fetch(client: NativeClient, placed: Any) -> Any:
    return client.get("/order", symbol=MARKET, order_id=placed["order_id"]).json()


STOP = {"type": "stop_loss_limit", "side": "sell", "stop_price": "0.049", "price": "0.048"}


def test_a_stop_waits_and_then_works(trader: NativeClient, other: NativeClient) -> None:
    placed = place(trader, **STOP)
    assert (placed["status"], placed["working_since"]) == ("new", None)
    assert (placed["stop_price"], placed["price"]) == ("0.04900000", "0.04800000")
    assert fetch(trader, placed) == placed
    assert placed in trader.get("/order/open", symbol=MARKET).json()
    trade_at(other, "0.049")
    triggered = fetch(trader, placed)
    assert triggered["status"] == "new"
    assert triggered["working_since"] >= placed["created_at"]
    bought = place(other, price="0.048", quantity="1")
    assert bought["status"] == "filled"
    assert fetch(trader, placed)["status"] == "filled"


def test_a_stop_that_is_reached_already_is_refused(trader: NativeClient) -> None:
    refused = trader.post("/order", order(symbol=MARKET, **{**STOP, "stop_price": "0.06"}))
    assert (refused.status_code, refused.json()["code"]) == (422, "WOULD_TRIGGER")


def test_a_trailing_stop_follows_the_price(trader: NativeClient, other: NativeClient) -> None:
    placed = place(
        trader, type="stop_loss", side="sell", price=None, quantity="0.5", trailing_delta=1_000
    )
    assert (placed["trailing_delta"], placed["time_in_force"]) == (1_000, "ioc")
    trade_at(other, "0.06")
    place(other, price="0.053", quantity="0.5")
    assert fetch(trader, placed)["status"] == "new"
    trade_at(other, "0.054")  # a tenth below the highest
    assert fetch(trader, placed)["status"] == "filled"


def test_the_book_shows_a_part_of_an_iceberg(trader: NativeClient) -> None:
    placed = place(trader, price="0.0333", quantity="5", visible_quantity="1")
    assert placed["visible_quantity"] == "1.00000000"
    level = ["0.03330000", "1.00000000"]
    wait_until(
        lambda: level in trader.get("/depth", symbol=MARKET).json().get("bids", ()),
        "the visible part stands in the depth",
    )


def test_a_market_order_stops_at_its_protection(trader: NativeClient, other: NativeClient) -> None:
    place(other, side="sell", price="0.051", quantity="1")
    place(other, side="sell", price="0.052", quantity="1")
    bought = place(trader, type="market", price=None, quantity="2", protection_price="0.051")
    assert (bought["status"], bought["executed_quantity"]) == ("expired", "1.00000000")
    assert (bought["price"], bought["protection_price"]) == (None, "0.05100000")
    wait_until(lambda: fetch(trader, bought) == bought, "the table says the same")


def test_own_orders_do_not_meet(trader: NativeClient) -> None:
    sold = place(trader, side="sell", price="0.051", quantity="1")
    bought = place(trader, price="0.051", quantity="1", self_trade_prevention="decrement")
    assert (bought["status"], bought["prevented_quantity"]) == ("expired", "1.00000000")
    assert bought["fills"] == []
    assert fetch(trader, sold)["prevented_quantity"] == "1.00000000"


# Changes


def amend(client: NativeClient, placed: Any, **changes: object) -> Any:
    fields = {"symbol": MARKET, "order_id": placed["order_id"], **changes}
    return client.send_json("PATCH", "/order", fields)


def test_an_order_is_amended(trader: NativeClient, other: NativeClient) -> None:
    placed = place(trader, price="0.04", quantity="2")
    less = amend(trader, placed, quantity="1", new_client_order_id="kinds-less").json()
    assert (less["order_id"], less["quantity"]) == (placed["order_id"], "1.00000000")
    assert less["client_order_id"] == "kinds-less"
    place(other, side="sell", price="0.051", quantity="1")
    traded = amend(trader, placed, price="0.051").json()
    assert (traded["status"], len(traded["fills"])) == ("filled", 1)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({}, 400, "MISSING_FIELD"),
        ({"price": 0.05}, 400, "INVALID_DECIMAL"),
        ({"client_order_id": "both", "price": "0.04"}, 400, "INVALID_FIELD"),
        ({"side": "sell", "price": "0.04"}, 400, "UNKNOWN_FIELD"),
        ({"price": "0.04"}, 422, "INVALID_AMENDMENT"),
        ({"price": "0.040001"}, 422, "PRICE_OFF_TICK"),
        ({"order_id": 10**15, "price": "0.04"}, 404, "UNKNOWN_ORDER"),
    ],
)
def test_what_cannot_be_amended(
    trader: NativeClient, changes: dict[str, object], status: int, code: str
) -> None:
    placed = place(trader, price="0.04", quantity="2")
    answer = amend(trader, placed, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert fetch(trader, placed) == placed


def replace(client: NativeClient, **changes: object) -> Any:
    answer = client.post("/order/replace", order(symbol=MARKET, price="0.04", **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_order_is_replaced(trader: NativeClient) -> None:
    placed = place(trader, price="0.04")
    canceled, new = replace(trader, cancel_order_id=placed["order_id"], quantity="3")
    assert canceled["status"] == "canceled"
    assert (new["status"], new["quantity"]) == ("new", "3.00000000")
    gone = {"cancel_order_id": placed["order_id"]}
    (refused,) = replace(trader, **gone)
    assert refused["code"] == "UNKNOWN_ORDER"
    refused, new = replace(trader, **gone, mode="allow_failure")
    assert (refused["code"], new["status"]) == ("UNKNOWN_ORDER", "new")


def test_a_replacement_that_is_refused_leaves_nothing(trader: NativeClient) -> None:
    placed = place(trader, price="0.04")
    canceled, refused = replace(trader, cancel_order_id=placed["order_id"], quantity="100000")
    assert canceled["status"] == "canceled"
    assert refused["code"] == "QUANTITY_TOO_LARGE"


# Lists


def oco(**changes: object) -> dict[str, object]:
    above = {"type": "limit", "price": "0.06", "post_only": True}
    below = {"type": "stop_loss_limit", "stop_price": "0.045", "price": "0.044"}
    head = {"symbol": MARKET, "side": "sell", "quantity": "1"}
    return {**head, "legs": [above, below], **changes}


def test_one_order_of_a_list_ends_the_other(trader: NativeClient, other: NativeClient) -> None:
    name = f"list-{uuid.uuid4().hex[:20]}"
    placed = trader.post("/order/list", oco(client_list_id=name)).json()
    above, below = placed["orders"]
    assert above["list_id"] == below["list_id"] == placed["list_id"]
    assert trader.post("/order/list", oco(client_list_id=name)).json() == placed
    place(other, price="0.06", quantity="1")
    assert [fetch(trader, leg)["status"] for leg in (above, below)] == ["filled", "expired"]


@pytest.mark.parametrize("name", ["list_id", "client_list_id"])
def test_a_list_is_cancelled_by_either_id(trader: NativeClient, name: str) -> None:
    client_list_id = f"list-{uuid.uuid4().hex[:20]}"
    placed = trader.post("/order/list", oco(client_list_id=client_list_id)).json()
    ids = {"list_id": placed["list_id"], "client_list_id": client_list_id}
    canceled = trader.delete("/order/list", symbol=MARKET, **{name: ids[name]})
    assert [leg["status"] for leg in canceled.json()["orders"]] == ["canceled", "canceled"]
    again = trader.delete("/order/list", symbol=MARKET, **{name: ids[name]})
    assert (again.status_code, again.json()["code"]) == (404, "UNKNOWN_ORDER_LIST")


LEG = {"type": "limit", "price": "0.06", "post_only": True}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"legs": [LEG]}, 400, "INVALID_FIELD"),
        ({"legs": [LEG, "leg"]}, 400, "INVALID_FIELD"),
        ({"legs": [LEG, {**LEG, "side": "buy"}]}, 400, "UNKNOWN_FIELD"),
        ({"legs": [LEG, {**LEG, "price": 1}]}, 400, "INVALID_DECIMAL"),
        ({"legs": [LEG, {"type": "stop_loss"}]}, 400, "MISSING_FIELD"),
        ({"surprise": 1}, 400, "UNKNOWN_FIELD"),
        ({"quantity": None}, 400, "INVALID_FIELD"),
        ({"legs": [LEG, LEG]}, 422, "INVALID_ORDER_LIST"),
        ({"symbol": "NOSUCH"}, 404, "UNKNOWN_MARKET"),
    ],
)
def test_what_is_no_list(
    trader: NativeClient, changes: dict[str, object], status: int, code: str
) -> None:
    answer = trader.post("/order/list", oco(**changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


# The dead man's switch


def test_orders_are_cancelled_unless_somebody_says_otherwise(trader: NativeClient) -> None:
    placed = place(trader, price="0.04")
    timer = {"symbol": MARKET, "timeout_ms": 60_000}
    assert trader.post("/orders/cancel-after", timer).json() == timer
    assert trader.post("/orders/cancel-after", {**timer, "timeout_ms": 0}).status_code == 200
    assert fetch(trader, placed)["status"] == "new"
    trader.post("/orders/cancel-after", {**timer, "timeout_ms": 1})
    wait_until(lambda: fetch(trader, placed)["status"] == "canceled", "it is gone")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 400, "MISSING_FIELD"),
        ({"timeout_ms": -1}, 400, "INVALID_FIELD"),
        ({"timeout_ms": 86_400_001}, 400, "INVALID_FIELD"),
        ({"timeout_ms": 1, "symbol": "NOSUCH"}, 404, "UNKNOWN_MARKET"),
    ],
)
def test_what_is_no_timer(
    trader: NativeClient, fields: dict[str, object], status: int, code: str
) -> None:
    answer = trader.post("/orders/cancel-after", fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
