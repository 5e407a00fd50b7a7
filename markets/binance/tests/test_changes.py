"""Replaced and amended orders, and order lists, over `/api/v3`, in a market of their own.

Its last price is 0.05.
"""

from typing import Any

import pytest

from markets.binance.tests.client import BinanceClient, order, said

FUNDS = {"BTC": "100", "ETH": "1000"}
MARKET = "V3CHANGES"
UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}
POOR = {"code": -2010, "msg": "Account has insufficient balance for requested action."}


@pytest.fixture(scope="module")
def client(exchange: Any) -> BinanceClient:
    exchange.define_market(MARKET, base="ETH", quote="BTC", tick="0.00001", step="0.001")
    client = BinanceClient(exchange.url, exchange.create_user("v3-changes", fund=FUNDS))
    for side in ("SELL", "BUY"):
        place(client, side=side, price="0.05", quantity="0.01")
    return client


@pytest.fixture(autouse=True)
def nothing_open(client: BinanceClient) -> None:
    client.delete("openOrders", symbol=MARKET)


def place(client: BinanceClient, **changes: object) -> Any:
    answer = client.post("order", **order(**{"symbol": MARKET, **changes}))
    assert answer.status_code == 200, answer.text
    return answer.json()


def replace(client: BinanceClient, mode: str, canceled: int, **changes: object) -> Any:
    fields = order(**{"symbol": MARKET, **changes})
    return client.post(
        "order/cancelReplace", cancelReplaceMode=mode, cancelOrderId=canceled, **fields
    )


def open_ids(client: BinanceClient) -> list[int]:
    return [o["orderId"] for o in client.get("openOrders", symbol=MARKET).json()]


def test_one_order_takes_the_place_of_another(client: BinanceClient) -> None:
    old = place(client)["orderId"]
    answer = replace(client, "STOP_ON_FAILURE", old, price="0.021", cancelNewClientOrderId="gone")
    out = answer.json()
    assert (answer.status_code, out["cancelResult"], out["newOrderResult"]) == (
        200,
        "SUCCESS",
        "SUCCESS",
    )
    canceled, placed = out["cancelResponse"], out["newOrderResponse"]
    assert (canceled["orderId"], canceled["clientOrderId"]) == (old, "gone")
    assert (placed["price"], placed["fills"]) == ("0.02100000", [])
    assert open_ids(client) == [placed["orderId"]]


def test_nothing_is_placed_where_nothing_is_cancelled(client: BinanceClient) -> None:
    answer = replace(client, "STOP_ON_FAILURE", 2**62)
    assert (answer.status_code, answer.json()) == (
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
    assert open_ids(client) == []


def test_or_it_is_all_the_same(client: BinanceClient) -> None:
    answer = replace(client, "ALLOW_FAILURE", 2**62)
    body = answer.json()
    assert (answer.status_code, body["code"], body["msg"]) == (
        409,
        -2021,
        "Order cancel-replace partially failed.",
    )
    assert (body["data"]["cancelResult"], body["data"]["cancelResponse"]) == ("FAILURE", UNKNOWN)
    assert open_ids(client) == [body["data"]["newOrderResponse"]["orderId"]]
    neither = replace(client, "ALLOW_FAILURE", 2**62, quantity="9999").json()
    assert neither["code"] == -2022
    assert neither["data"]["newOrderResponse"] == POOR


def test_the_old_one_can_be_gone_without_a_new_one(client: BinanceClient) -> None:
    old = place(client)["orderId"]
    answer = replace(client, "STOP_ON_FAILURE", old, quantity="9999")
    data = answer.json()["data"]
    assert (answer.status_code, answer.json()["code"]) == (409, -2021)
    assert (data["cancelResult"], data["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert (data["cancelResponse"]["status"], data["newOrderResponse"]) == ("CANCELED", POOR)
    assert open_ids(client) == []


def test_an_order_that_has_ended_is_not_amended(client: BinanceClient) -> None:
    by_id = {"symbol": MARKET, "orderId": place(client)["orderId"]}
    client.delete("order", **by_id)
    ended = client.signed("PUT", "order/amend/keepPriority", {**by_id, "newQty": "0.5"})
    assert said(ended) == (-2013, "Order does not exist.")


def test_a_bad_form_cancels_nothing(client: BinanceClient) -> None:
    old = place(client)["orderId"]
    assert said(replace(client, "STOP_ON_FAILURE", old, price=None))[0] == -1102
    assert said(replace(client, "PERHAPS", old))[0] == -1130
    nameless = client.post(
        "order/cancelReplace", cancelReplaceMode="ALLOW_FAILURE", **order(symbol=MARKET)
    )
    assert said(nameless)[0] == -1102
    assert open_ids(client) == [old]


def test_an_order_is_made_smaller(client: BinanceClient) -> None:
    placed = place(client, newClientOrderId="large")
    by_name = {"symbol": MARKET, "origClientOrderId": "large"}
    answer = client.signed(
        "PUT", "order/amend/keepPriority", {**by_name, "newQty": "0.4", "newClientOrderId": "small"}
    )
    assert answer.status_code == 200, answer.text
    amended = answer.json()["amendedOrder"]
    assert amended["orderId"] == placed["orderId"]
    assert (amended["origClientOrderId"], amended["clientOrderId"]) == ("large", "small")
    assert (amended["qty"], amended["executedQty"], amended["status"]) == (
        "0.40000000",
        "0.00000000",
        "NEW",
    )
    now = client.get("order", symbol=MARKET, orderId=placed["orderId"]).json()
    assert (now["clientOrderId"], now["origQty"]) == ("small", "0.40000000")


@pytest.mark.parametrize(
    ("quantity", "error"),
    [
        ("1", (-2038, "The requested action would change no state; rejecting.")),
        ("2", (-2038, "Order amend (quantity increase) is not supported.")),
        ("0.0001", (-1013, "Filter failure: LOT_SIZE")),
        ("0.000000001", (-1111, "Parameter 'newQty' has too much precision.")),
        ("0", (-1130, "Data sent for parameter 'newQty' is not valid.")),
    ],
)
def test_amendments_that_are_refused(
    client: BinanceClient, quantity: str, error: tuple[int, str]
) -> None:
    by_id = {"symbol": MARKET, "orderId": place(client)["orderId"]}
    answer = client.signed("PUT", "order/amend/keepPriority", {**by_id, "newQty": quantity})
    assert (answer.status_code, *said(answer)) == (400, *error)
    assert client.get("order", **by_id).json()["origQty"] == "1.00000000"


LIST = {
    "symbol": MARKET,
    "side": "SELL",
    "quantity": "1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "0.06",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "0.045",
    "belowPrice": "0.044",
    "belowTimeInForce": "GTC",
}
OCO = {
    "symbol": MARKET,
    "side": "SELL",
    "quantity": "1",
    "price": "0.06",
    "stopPrice": "0.045",
    "stopLimitPrice": "0.044",
    "stopLimitTimeInForce": "GTC",
}


LIMIT_BELOW = {
    "belowType": "LIMIT_MAKER",
    "belowStopPrice": None,
    "belowTimeInForce": None,
}
STOP_ABOVE = {"aboveType": "STOP_LOSS", "abovePrice": None, "aboveStopPrice": "0.06"}


@pytest.mark.parametrize(("path", "fields"), [("orderList/oco", LIST), ("order/oco", OCO)])
def test_a_list_from_its_placing_to_its_end(
    client: BinanceClient, path: str, fields: dict[str, object]
) -> None:
    answer = client.post(path, **fields)
    assert answer.status_code == 200, answer.text
    placed = answer.json()
    assert (placed["contingencyType"], placed["listStatusType"], placed["listOrderStatus"]) == (
        "OCO",
        "EXEC_STARTED",
        "EXECUTING",
    )
    reports = placed.pop("orderReports")
    assert [report["type"] for report in reports] == ["LIMIT_MAKER", "STOP_LOSS_LIMIT"]
    assert {report["orderListId"] for report in reports} == {placed["orderListId"]}
    assert [leg["orderId"] for leg in placed["orders"]] == [r["orderId"] for r in reports]
    by_id = {"orderListId": placed["orderListId"]}
    assert client.get("orderList", **by_id).json() == placed
    by_name = client.get("orderList", origClientOrderId=placed["listClientOrderId"]).json()
    assert by_name == placed
    assert client.get("openOrderList").json() == [placed]
    canceled = client.delete("orderList", symbol=MARKET, **by_id).json()
    assert (canceled["listStatusType"], canceled["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert canceled["listClientOrderId"] == placed["listClientOrderId"]
    assert {report["status"] for report in canceled["orderReports"]} == {"CANCELED"}
    assert open_ids(client) == []
    assert client.get("openOrderList").json() == []
    newest = client.get("allOrderList", limit=1).json()[0]
    assert (newest["orderListId"], newest["listOrderStatus"]) == (
        placed["orderListId"],
        "ALL_DONE",
    )


def test_a_list_that_is_cancelled_at_once_has_its_name(client: BinanceClient) -> None:
    for _ in range(5):
        placed = client.post("orderList/oco", **LIST).json()
        by_id = {"symbol": MARKET, "orderListId": placed["orderListId"]}
        canceled = client.delete("orderList", **by_id).json()
        assert canceled["listClientOrderId"] == placed["listClientOrderId"]


def test_a_list_to_buy_has_its_stop_above(client: BinanceClient) -> None:
    buy = {**OCO, "side": "BUY", "price": "0.04", "stopPrice": "0.055", "stopLimitPrice": "0.056"}
    answer = client.post("order/oco", **buy, newOrderRespType="ACK")
    assert answer.status_code == 200, answer.text
    reports = answer.json()["orderReports"]
    assert len(reports) == 2
    assert all("status" not in report for report in reports)
    assert [o["type"] for o in client.get("openOrders", symbol=MARKET).json()] == [
        "LIMIT_MAKER",
        "STOP_LOSS_LIMIT",
    ]


def test_the_leg_that_trades_stays(client: BinanceClient) -> None:
    placed = client.post("orderList/oco", **LIST).json()
    limit, stop = placed["orders"]
    place(client, price="0.06", quantity="1", timeInForce="IOC")
    statuses = [
        client.get("order", symbol=MARKET, orderId=leg["orderId"]).json()["status"]
        for leg in (limit, stop)
    ]
    assert statuses == ["FILLED", "EXPIRED"]
    trades = client.get("myTrades", symbol=MARKET, orderId=limit["orderId"]).json()
    assert {trade["orderListId"] for trade in trades} == {placed["orderListId"]}
    by_name = client.get("orderList", origClientOrderId=placed["listClientOrderId"]).json()
    assert by_name["listOrderStatus"] == "ALL_DONE"
    for side in ("BUY", "SELL"):
        place(client, side=side, price="0.05", quantity="0.01")


@pytest.mark.parametrize(
    ("path", "fields", "error"),
    [
        ("orderList/oco", {**LIST, "abovePrice": None}, (-1102, "Mandatory parameter 'abovePrice' "
            "was not sent, was empty/null, or malformed.")),
        ("orderList/oco", {**LIST, "belowStopPrice": None}, (-1102, "Param 'belowStopPrice' or "
            "'belowTrailingDelta' must be sent, but both were empty/null!")),
        ("orderList/oco", {**LIST, "aboveStopPrice": "0.06"},
            (-1106, "Parameter 'aboveStopPrice' sent when not required.")),
        ("orderList/oco", {**LIST, "aboveType": "LIMIT"},
            (-1158, "Order type not supported in OCO.")),
        ("orderList/oco", {**LIST, "belowIcebergQty": "0.1", "belowTimeInForce": "IOC"},
            (-1160, "Parameter 'belowIcebergQty' is not supported if "
            "aboveTimeInForce/belowTimeInForce is not GTC.")),
        ("orderList/oco", {**LIST, **LIMIT_BELOW}, (-1168, "At least one OCO order must be "
            "contingent.")),
        ("orderList/oco", {**LIST, **STOP_ABOVE, **LIMIT_BELOW},
            (-1166, "A limit order in a sell OCO must be above.")),
        ("orderList/oco", {**LIST, "side": "BUY"},
            (-1165, "A limit order in a buy OCO must be below.")),
        ("orderList/oco", {**LIST, **STOP_ABOVE},
            (-1197, "A stop loss order in a sell OCO must be below.")),
        ("orderList/oco", {**LIST, **STOP_ABOVE, "side": "BUY"},
            (-1196, "A stop loss order in a buy OCO must be above.")),
        ("orderList/oco", {**LIST, "belowType": "TAKE_PROFIT_LIMIT"},
            (-1199, "A take profit order in a sell OCO must be above.")),
        ("orderList/oco", {**LIST, **STOP_ABOVE, **LIMIT_BELOW, "aboveType": "TAKE_PROFIT",
            "side": "BUY"},
            (-1198, "A take profit order in a buy OCO must be below.")),
        ("orderList/oco", {**LIST, "abovePrice": "0.03"},
            (-2010, "The relationship of the prices for the orders is not correct.")),
        ("orderList/oco", {**LIST, "quantity": "9999"}, (POOR["code"], POOR["msg"])),
        ("order/oco", {**OCO, "stopLimitTimeInForce": None}, (-1102, "Mandatory parameter "
            "'stopLimitTimeInForce' was not sent, was empty/null, or malformed.")),
        ("order/oco", {**OCO, "price": "0.04"},
            (-2010, "The relationship of the prices for the orders is not correct.")),
    ],
)  # fmt: skip
def test_lists_that_are_refused(
    client: BinanceClient, path: str, fields: dict[str, object], error: tuple[int, str]
) -> None:
    answer = client.post(path, **fields)
    assert (answer.status_code, *said(answer)) == (400, *error)
    assert client.get("openOrderList").json() == []


def test_lists_that_are_not_there(client: BinanceClient) -> None:
    gone = client.delete("orderList", symbol=MARKET, orderListId=2**62)
    assert said(gone) == (-2011, "Unknown order list sent.")
    unknown = client.get("orderList", orderListId=2**62)
    assert said(unknown) == (-2013, "Order list does not exist.")
    assert said(client.get("orderList"))[0] == -1102
