"""Replaced and amended orders, order lists and histories over the WebSocket API: as REST has them.

In a market of their own, whose last price is 50.
"""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from exchange_site.tests.running import RunningExchange
from markets.binance.endpoints import API_V3
from markets.binance.tests.client import BinanceClient, order
from realtime.api.methods import METHODS
from realtime.tests.api_client import ApiClient, stamped
from realtime.tests.api_sockets import api

FUNDS = {"USDT": "100000", "SOL": "1000"}
MARKET = "WSCHANGES"
UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}
POOR = {"code": -2010, "msg": "Account has insufficient balance for requested action."}
LIST = {
    "symbol": MARKET,
    "side": "SELL",
    "quantity": "1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "60",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "45",
    "belowPrice": "44",
    "belowTimeInForce": "GTC",
}
OCO = {
    "symbol": MARKET,
    "side": "SELL",
    "quantity": "1",
    "price": "60",
    "stopPrice": "45",
    "stopLimitPrice": "44",
    "stopLimitTimeInForce": "GTC",
}


@pytest.fixture(scope="module")
def credentials(exchange: RunningExchange) -> Any:
    return exchange.create_user(f"changes-{uuid.uuid4().hex[:8]}", fund=FUNDS)


@pytest.fixture(scope="module")
def rest(exchange: RunningExchange, credentials: Any) -> BinanceClient:
    exchange.define_market(MARKET, base="SOL", quote="USDT", tick="0.01", step="0.01")
    client = BinanceClient(exchange.url, credentials)
    for side in ("SELL", "BUY"):
        answer = client.post("order", **limit(side=side, price="50"))
        assert answer.is_success, answer.text
    return client


@pytest.fixture
async def client(
    exchange: RunningExchange, rest: BinanceClient, credentials: Any
) -> AsyncIterator[ApiClient]:
    """Logged on, with no open orders."""
    rest.delete("openOrders", symbol=MARKET)
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        yield client


def limit(**changes: object) -> dict[str, object]:
    return order(**{"symbol": MARKET, "price": "40", "quantity": "1", **changes})


async def placed(client: ApiClient, **changes: object) -> int:
    return int((await client.result("order.place", **limit(**changes)))["orderId"])


async def replace(client: ApiClient, mode: str, canceled: int, **changes: object) -> Any:
    fields = {"cancelReplaceMode": mode, "cancelOrderId": canceled, **limit(**changes)}
    return await client.ask("order.cancelReplace", **stamped(fields))


async def open_ids(client: ApiClient) -> list[int]:
    opened = await client.result("openOrders.status", symbol=MARKET)
    return [each["orderId"] for each in opened]


async def test_one_order_takes_the_place_of_another(client: ApiClient) -> None:
    old = await placed(client)
    answer = await replace(client, "STOP_ON_FAILURE", old, price="41")
    assert answer["status"] == 200, answer
    assert answer["result"]["cancelResponse"]["orderId"] == old
    assert await open_ids(client) == [answer["result"]["newOrderResponse"]["orderId"]]


async def test_nothing_is_replaced(client: ApiClient) -> None:
    answer = await replace(client, "STOP_ON_FAILURE", 2**62)
    assert (answer["status"], answer["error"]) == (
        400,
        {
            "code": -2022,
            "msg": "Order cancel-replace failed.",
            "data": {
                "cancelResult": "FAILURE",
                "newOrderResult": "NOT_ATTEMPTED",
                "cancelResponse": UNKNOWN,
                "newOrderResponse": None,
            },
        },
    )


async def test_one_of_both_comes_about(client: ApiClient) -> None:
    old = await placed(client)
    answer = await replace(client, "STOP_ON_FAILURE", old, quantity="9999")
    error = answer["error"]
    assert (answer["status"], error["code"], error["msg"]) == (
        409,
        -2021,
        "Order cancel-replace partially failed.",
    )
    assert error["data"]["cancelResponse"]["status"] == "CANCELED"
    assert error["data"]["newOrderResponse"] == POOR


async def test_an_order_is_made_smaller(client: ApiClient) -> None:
    by_id = {"symbol": MARKET, "orderId": await placed(client)}
    amended = (await client.result("order.amend.keepPriority", **by_id, newQty="0.4"))[
        "amendedOrder"
    ]
    assert (amended["orderId"], amended["qty"]) == (by_id["orderId"], "0.40000000")
    assert await client.error("order.amend.keepPriority", **by_id, newQty="0.5") == (
        -2038,
        "Order amend (quantity increase) is not supported.",
    )


@pytest.mark.parametrize(
    ("method", "fields"), [("orderList.place.oco", LIST), ("orderList.place", OCO)]
)
async def test_a_list_from_its_placing_to_its_end(
    client: ApiClient, method: str, fields: dict[str, object]
) -> None:
    made = await client.result(method, **fields)
    reports = made.pop("orderReports")
    assert [report["type"] for report in reports] == ["LIMIT_MAKER", "STOP_LOSS_LIMIT"]
    by_id = {"orderListId": made["orderListId"]}
    assert await client.result("orderList.status", **by_id) == made
    assert await client.result("openOrderLists.status") == [made]
    canceled = await client.result("orderList.cancel", symbol=MARKET, **by_id)
    assert canceled["listOrderStatus"] == "ALL_DONE"
    assert await client.result("openOrderLists.status") == []
    (newest,) = await client.result("allOrderLists", limit=1)
    assert (newest["orderListId"], newest["listOrderStatus"]) == (made["orderListId"], "ALL_DONE")
    assert await client.error("orderList.cancel", symbol=MARKET, **by_id) == (
        -2011,
        "Unknown order list sent.",
    )


async def test_all_at_once(client: ApiClient) -> None:
    ids = [await placed(client, price=price) for price in ("40", "41", "42")]
    canceled = await client.result("openOrders.cancelAll", symbol=MARKET)
    assert [each["orderId"] for each in canceled] == ids
    assert await client.error("openOrders.cancelAll", symbol=MARKET) == (
        -2011,
        "Unknown order sent.",
    )


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("depth", "depth", {"symbol": MARKET, "limit": 5}),
        ("trades.recent", "trades", {"symbol": MARKET}),
        ("trades.historical", "historicalTrades", {"symbol": MARKET, "limit": 1}),
        ("trades.aggregate", "aggTrades", {"symbol": MARKET}),
        ("klines", "klines", {"symbol": MARKET, "interval": "1d"}),
        ("uiKlines", "uiKlines", {"symbol": MARKET, "interval": "1d"}),
        ("ticker.price", "ticker/price", {"symbol": MARKET}),
        ("ticker.book", "ticker/bookTicker", {"symbol": MARKET}),
    ],
)
async def test_market_data_is_that_of_rest(
    client: ApiClient, rest: BinanceClient, method: str, path: str, params: dict[str, object]
) -> None:
    await placed(client)
    after = rest.public(path, **params).json()
    for _ in range(100):
        before = after
        told = (await client.ask(method, **params))["result"]
        after = rest.public(path, **params).json()
        if before == after:  # the feeds stood still meanwhile
            break
    assert told == before == after


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("openOrders.status", "openOrders", {"symbol": MARKET}),
        ("allOrders", "allOrders", {"symbol": MARKET, "limit": 3}),
        ("allOrderLists", "allOrderList", {"limit": 2}),
        ("openOrderLists.status", "openOrderList", {}),
        ("myTrades", "myTrades", {"symbol": MARKET}),
        ("account.commission", "account/commission", {"symbol": MARKET}),
        ("account.rateLimits.orders", "rateLimit/order", {}),
    ],
)
async def test_histories_are_those_of_rest(
    client: ApiClient, rest: BinanceClient, method: str, path: str, params: dict[str, object]
) -> None:
    await placed(client)
    await client.result("orderList.place.oco", **LIST)
    assert await client.result(method, **params) == rest.get(path, **params).json()


async def test_listen_keys(client: ApiClient, credentials: Any) -> None:
    key = {"apiKey": credentials["api_key"]}
    listen = (await client.ask("userDataStream.start", **key))["result"]
    assert (await client.ask("userDataStream.ping", **key, **listen))["result"] == {}
    assert (await client.ask("userDataStream.stop", **key, **listen))["result"] == {}
    gone = await client.ask("userDataStream.stop", **key, **listen)
    assert gone["error"] == {"code": -1125, "msg": "This listenKey does not exist."}


async def test_a_version_may_stand_before_the_method(client: ApiClient) -> None:
    assert (await client.ask("v3/ping"))["result"] == {}
    assert (await client.ask("v2/ping"))["error"]["code"] == -1020


def test_every_endpoint_of_rest_is_a_method() -> None:
    endpoints = {id(each) for methods in API_V3.values() for each in methods.values()}
    assert endpoints == {id(each) for each in METHODS.values()}
