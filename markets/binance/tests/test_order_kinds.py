"""Conditional orders, icebergs and self-trade prevention over `/api/v3`, in a market of their own.

Its last price is 0.05 when each test begins.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exchange_site.tests.processes import wait_until
from markets.binance.tests.client import BinanceClient, order, said

FUNDS = {"BTC": "100", "ETH": "1000"}
MARKET = "V3KINDS"
STATUSES = {"open": "TRADING", "post_only": "BREAK", "cancel_only": "HALT", "halted": "HALT"}
STOP = {
    "symbol": MARKET,
    "type": "STOP_LOSS_LIMIT",
    "side": "SELL",
    "stopPrice": "0.049",
    "price": "0.048",
}


@pytest.fixture(scope="module")
def market(exchange: Any) -> str:
    exchange.define_market(
        MARKET,
        base="ETH",
        quote="BTC",
        tick="0.00001",
        step="0.001",
        max_open_orders=20,
        max_conditional_orders=2,
    )
    return MARKET


@pytest.fixture(scope="module")
def trader(exchange: Any, market: str) -> BinanceClient:
    return BinanceClient(exchange.url, exchange.create_user("v3-kinds", fund=FUNDS))


@pytest.fixture(scope="module")
def other(exchange: Any, market: str) -> BinanceClient:
    return BinanceClient(exchange.url, exchange.create_user("v3-kinds-other", fund=FUNDS))


@pytest.fixture(autouse=True)
def last_price(trader: BinanceClient, other: BinanceClient) -> None:
    for client in (trader, other):
        client.delete("openOrders", symbol=MARKET)
    trade_at(other, "0.05")


def trade_at(client: BinanceClient, price: str) -> None:
    for side in ("SELL", "BUY"):
        place(client, side=side, price=price, quantity="0.01")


def place(client: BinanceClient, **changes: object) -> Any:
    answer = client.post("order", **order(**{"symbol": MARKET, **changes}))
    assert answer.status_code == 200, answer.text
    return answer.json()


def fetch(client: BinanceClient, placed: Any) -> Any:
    return client.get("order", symbol=MARKET, orderId=placed["orderId"]).json()


def test_a_stop_waits_and_then_works(trader: BinanceClient, other: BinanceClient) -> None:
    placed = place(trader, **STOP, newOrderRespType="FULL")
    assert (placed["status"], placed["stopPrice"]) == ("NEW", "0.04900000")
    assert placed["workingTime"] == -1
    waiting = fetch(trader, placed)
    assert (waiting["type"], waiting["isWorking"]) == ("STOP_LOSS_LIMIT", False)
    trade_at(other, "0.0489")
    working = fetch(trader, placed)
    assert (working["isWorking"], working["status"]) == (True, "NEW")
    assert working["workingTime"] >= working["time"]


@pytest.mark.parametrize(
    ("kind", "side", "stop"),
    [
        ("STOP_LOSS", "SELL", "0.049"),
        ("STOP_LOSS", "BUY", "0.051"),
        ("TAKE_PROFIT", "SELL", "0.051"),
        ("TAKE_PROFIT", "BUY", "0.049"),
    ],
)
def test_each_triggers(
    trader: BinanceClient, other: BinanceClient, kind: str, side: str, stop: str
) -> None:
    bare = {"price": None, "timeInForce": None, "quantity": "0.5"}
    placed = place(trader, type=kind, side=side, stopPrice=stop, **bare)
    assert "status" not in placed, "it is only acknowledged"
    assert fetch(trader, placed)["isWorking"] is False
    trade_at(other, stop)
    ended = fetch(trader, placed)
    assert (ended["type"], ended["timeInForce"], ended["status"]) == (kind, "GTC", "EXPIRED")


def test_a_trailing_stop_follows_the_price(trader: BinanceClient, other: BinanceClient) -> None:
    fields = {**STOP, "stopPrice": None, "trailingDelta": 200, "newOrderRespType": "RESULT"}
    placed = place(trader, **fields)
    assert (placed["trailingDelta"], "stopPrice" in placed) == (200, False)
    trade_at(other, "0.06")
    trade_at(other, "0.059")
    assert fetch(trader, placed)["isWorking"] is False
    trade_at(other, "0.0588")
    assert fetch(trader, placed)["isWorking"] is True


def test_an_iceberg_shows_a_part(trader: BinanceClient) -> None:
    placed = place(trader, icebergQty="0.2", price="0.041")
    assert placed["icebergQty"] == "0.20000000"

    def bids() -> Any:
        return trader.public("depth", symbol=MARKET).json()["bids"]

    wait_until(lambda: bids() == [["0.04100000", "0.20000000"]], "a part of it is shown")


def test_self_trades_are_prevented(trader: BinanceClient) -> None:
    standing = place(trader, side="SELL", price="0.05", quantity="1")
    taker = place(trader, price="0.05", quantity="1", selfTradePreventionMode="EXPIRE_TAKER")
    assert (taker["status"], taker["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "1.00000000")
    assert taker["selfTradePreventionMode"] == "EXPIRE_TAKER"
    place(trader, price="0.05", quantity="0.4", selfTradePreventionMode="DECREMENT")
    left = fetch(trader, standing)
    assert (left["status"], left["preventedQuantity"]) == ("NEW", "0.40000000")
    assert left["selfTradePreventionMode"] == "NONE"


LIMIT_STOP = {**STOP, "timeInForce": "GTC", "quantity": "1"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"stopPrice": None}, (-1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both "
            "were empty/null!")),
        ({"price": None}, (-1102, "Mandatory parameter 'price' was not sent, was empty/null, or "
            "malformed.")),
        ({"type": "STOP_LOSS", "timeInForce": None},
            (-1106, "Parameter 'price' sent when not required.")),
        ({"stopPrice": "0"}, (-1013, "Invalid price.")),
        ({"stopPrice": "0.051"}, (-2010, "Order would trigger immediately.")),
        ({"stopPrice": "0.049001"}, (-1013, "Filter failure: PRICE_FILTER")),
        ({"stopPrice": "0.0490000001"}, (-1111, "Parameter 'stopPrice' has too much precision.")),
        ({"trailingDelta": 5_001}, (-1013, "Filter failure: TRAILING_DELTA")),
        ({"trailingDelta": 0}, (-1013, "Filter failure: TRAILING_DELTA")),
        ({"icebergQty": "2"}, (-2010, "IcebergQty exceeds QTY.")),
        ({"icebergQty": "0.5", "timeInForce": "IOC"}, (-1014, "Unsupported order combination.")),
        ({"icebergQty": "0.0001"}, (-1013, "Filter failure: LOT_SIZE")),
        ({"icebergQty": "0.009"}, (-1013, "Filter failure: ICEBERG_PARTS")),
        ({"quantity": "9999"}, (-2010, "Account has insufficient balance for requested action.")),
    ],
)  # fmt: skip
def test_what_is_refused(
    trader: BinanceClient, changes: dict[str, object], error: tuple[int, str]
) -> None:
    answer = trader.post("order", **{**LIMIT_STOP, **changes})
    assert (answer.status_code, *said(answer)) == (400, *error)
    assert trader.get("openOrders", symbol=MARKET).json() == []


def test_a_conditional_order_is_tested(trader: BinanceClient) -> None:
    wait_until(
        lambda: trader.public("ticker/price", symbol=MARKET).json()["price"] == "0.05000000",
        "the feed knows of the trade",
    )
    assert trader.post("order/test", **LIMIT_STOP).json() == {}
    refused = trader.post("order/test", **{**LIMIT_STOP, "stopPrice": "0.051"})
    assert said(refused) == (-2010, "Order would trigger immediately.")


def test_limits_on_open_orders(exchange: Any) -> None:
    """They are not a market maker's."""
    credentials = exchange.create_user("v3-kinds-limited", tier="default", fund=FUNDS)
    trader = BinanceClient(exchange.url, credentials, address="127.0.1.21")
    for _ in range(2):
        place(trader, **STOP)
    refused = trader.post("order", **LIMIT_STOP)
    assert said(refused) == (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")
    for _ in range(18):
        place(trader, price="0.041", quantity="0.01")
    refused = trader.post("order", **order(symbol=MARKET, price="0.041"))
    assert said(refused) == (-1013, "Filter failure: MAX_NUM_ORDERS")
    trader.delete("openOrders", symbol=MARKET)


def test_what_exchange_info_tells(trader: BinanceClient) -> None:
    (info,) = trader.public("exchangeInfo", symbol=MARKET).json()["symbols"]
    assert set(info["orderTypes"]) == {
        "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT",
        "TAKE_PROFIT_LIMIT",
    }  # fmt: skip
    assert (info["icebergAllowed"], info["allowTrailingStop"]) == (True, True)
    assert info["defaultSelfTradePreventionMode"] == "NONE"
    assert len(info["allowedSelfTradePreventionModes"]) == 5
    filters = {each["filterType"]: each for each in info["filters"]}
    assert filters["MAX_NUM_ORDERS"]["maxNumOrders"] == 20
    assert filters["MAX_NUM_ALGO_ORDERS"]["maxNumAlgoOrders"] == 2
    assert filters["TRAILING_DELTA"]["maxTrailingBelowDelta"] == 5_000


@pytest.fixture
def enter(exchange: Any, trader: BinanceClient) -> Iterator[Callable[[str], None]]:
    """Move the market to a phase and wait until its status is told; it opens after the test."""

    def told() -> Any:
        return trader.public("exchangeInfo", symbol=MARKET).json()["symbols"][0]["status"]

    def enter(phase: str) -> None:
        exchange.wait_for_tables(
            exchange.operate("markets.administration.phase_set", market=MARKET, phase=phase)
        )
        wait_until(lambda: told() == STATUSES[phase], "the status is told", pause_s=0.1)

    yield enter
    enter("open")


@pytest.mark.parametrize("phase", ["post_only", "cancel_only", "halted"])
def test_a_phase_is_a_status(
    trader: BinanceClient, enter: Callable[[str], None], phase: str
) -> None:
    enter(phase)
    refused = trader.post("order", **order(symbol=MARKET, price="0.06", timeInForce="IOC"))
    assert said(refused) == (-2010, "Market is closed.")


def test_nothing_changes_in_a_halt(trader: BinanceClient, enter: Callable[[str], None]) -> None:
    standing = place(trader, price="0.04")
    by_id = {"symbol": MARKET, "orderId": standing["orderId"]}
    enter("halted")
    assert said(trader.delete("order", **by_id)) == (-2011, "Market is closed.")
    amended = trader.signed("PUT", "order/amend/keepPriority", {**by_id, "newQty": "0.5"})
    assert said(amended) == (-2038, "Market is closed.")
    replaced = trader.post(
        "order/cancelReplace",
        cancelReplaceMode="ALLOW_FAILURE",
        cancelOrderId=standing["orderId"],
        **order(symbol=MARKET, price="0.04"),
    ).json()
    assert (replaced["code"], replaced["data"]["cancelResponse"]["code"]) == (-2022, -2011)
    assert replaced["data"]["newOrderResponse"] == {"code": -2010, "msg": "Market is closed."}
    assert fetch(trader, standing)["status"] == "NEW"
