"""Placing, asking for and cancelling orders over `/api/v3`."""

import uuid
from typing import Any

import pytest

from markets.binance.tests.client import BinanceClient, market, order, said

FUNDS = {"BTC": "20", "ETH": "200"}
ACK = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
RESULT = ACK | {
    "price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "status",
    "timeInForce", "type", "side", "workingTime", "selfTradePreventionMode",
}  # fmt: skip


@pytest.fixture(scope="module")
def buyer(exchange: Any) -> BinanceClient:
    return BinanceClient(exchange.url, exchange.create_user("v3-buyer", fund=FUNDS))


@pytest.fixture(scope="module")
def seller(exchange: Any) -> BinanceClient:
    return BinanceClient(exchange.url, exchange.create_user("v3-seller", fund=FUNDS))


def placed(client: BinanceClient, **parameters: object) -> Any:
    answer = client.post("order", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_order_stands_and_is_cancelled(buyer: BinanceClient) -> None:
    out = placed(buyer, **order())
    assert set(out) == RESULT | {"fills"}
    assert (out["status"], out["fills"], out["orderListId"]) == ("NEW", [], -1)
    assert (out["price"], out["origQty"], out["executedQty"]) == (
        "0.02000000",
        "1.00000000",
        "0.00000000",
    )
    by_id = {"symbol": "ETHBTC", "orderId": out["orderId"]}
    found = buyer.get("order", **by_id).json()
    assert (found["status"], found["isWorking"], found["time"]) == ("NEW", True, out["workingTime"])
    assert found in buyer.get("openOrders", symbol="ETHBTC").json()
    assert found in buyer.get("openOrders").json()
    canceled = buyer.delete("order", **by_id, newClientOrderId="no-more").json()
    assert (canceled["status"], canceled["clientOrderId"]) == ("CANCELED", "no-more")
    assert canceled["origClientOrderId"] == out["clientOrderId"]
    after = buyer.get("order", **by_id).json()
    assert (after["status"], after["updateTime"]) == ("CANCELED", canceled["transactTime"])
    assert after in buyer.get("allOrders", symbol="ETHBTC").json()


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        (order(), RESULT | {"fills"}),
        (order(newOrderRespType="ACK"), ACK),
        (order(newOrderRespType="RESULT"), RESULT),
        (order(type="LIMIT_MAKER", timeInForce=None), ACK),
        (order(type="LIMIT_MAKER", timeInForce=None, newOrderRespType="FULL"), RESULT | {"fills"}),
    ],
)
def test_as_much_answer_as_is_wanted(
    buyer: BinanceClient, parameters: dict[str, object], fields: set[str]
) -> None:
    out = placed(buyer, **parameters)
    assert set(out) == fields
    by_name = {"symbol": "ETHBTC", "origClientOrderId": out["clientOrderId"]}
    found = buyer.get("order", **by_name).json()
    assert found["type"] == parameters["type"]
    assert buyer.delete("order", **by_name).json()["status"] == "CANCELED"


def test_two_orders_meet(buyer: BinanceClient, seller: BinanceClient) -> None:
    maker = placed(seller, **order(side="SELL", price="0.05", quantity="0.5"))
    out = placed(buyer, **order(price="0.05", quantity="0.5"))
    assert (out["status"], out["executedQty"], out["cummulativeQuoteQty"]) == (
        "FILLED",
        "0.50000000",
        "0.02500000",
    )
    (fill,) = out["fills"]
    assert fill == {
        "price": "0.05000000",
        "qty": "0.50000000",
        "commission": "0.00050000",
        "commissionAsset": "ETH",
        "tradeId": fill["tradeId"],
    }
    (mine,) = buyer.get("myTrades", symbol="ETHBTC", orderId=out["orderId"]).json()
    assert (mine["id"], mine["isBuyer"], mine["isMaker"], mine["quoteQty"]) == (
        fill["tradeId"],
        True,
        False,
        "0.02500000",
    )
    (theirs,) = seller.get("myTrades", symbol="ETHBTC", orderId=maker["orderId"]).json()
    assert (theirs["isBuyer"], theirs["isMaker"], theirs["commissionAsset"]) == (False, True, "BTC")
    assert seller.get("myTrades", symbol="ETHBTC", fromId=theirs["id"]).json() == [theirs]


def test_market_orders(buyer: BinanceClient, seller: BinanceClient) -> None:
    placed(seller, **order(side="SELL", price="0.05", quantity="3"))
    by_quantity = placed(buyer, **market(quantity="1"))
    assert (by_quantity["status"], by_quantity["type"]) == ("FILLED", "MARKET")
    assert (by_quantity["timeInForce"], by_quantity["price"]) == ("GTC", "0.00000000")
    by_quote = placed(buyer, **market(quantity=None, quoteOrderQty="0.05"))
    assert (by_quote["origQty"], by_quote["origQuoteOrderQty"]) == ("1.00000000", "0.05000000")
    too_much = placed(buyer, **market(quantity="5"))
    assert (too_much["status"], too_much["executedQty"]) == ("EXPIRED", "1.00000000")


def test_a_market_sell_by_quote_amount(buyer: BinanceClient, seller: BinanceClient) -> None:
    """As clients send it who give a market order a price."""
    for price, quantity in (("0.05", "1"), ("0.04", "5")):
        placed(buyer, **order(price=price, quantity=quantity))
    sell = market(side="SELL", quantity=None, quoteOrderQty="0.09003")
    assert seller.post("order/test", **sell).json() == {}
    sold = placed(seller, **sell)
    assert (sold["status"], sold["origQty"]) == ("FILLED", "2.00000000"), "a step less than all"
    assert sold["cummulativeQuoteQty"] == "0.09000000"
    buyer.delete("openOrders", symbol="ETHBTC")
    for amount, failure in (("0.09", "LOT_SIZE"), ("0.00001", "NOTIONAL")):
        refused = seller.post("order", **{**sell, "quoteOrderQty": amount})
        assert said(refused) == (-1013, f"Filter failure: {failure}")


def test_ioc_and_fok(buyer: BinanceClient, seller: BinanceClient) -> None:
    standing = placed(seller, **order(side="SELL", price="0.05", quantity="1"))
    fok = placed(buyer, **order(price="0.05", quantity="2", timeInForce="FOK"))
    assert (fok["status"], fok["executedQty"]) == ("EXPIRED", "0.00000000")
    ioc = placed(buyer, **order(price="0.05", quantity="2", timeInForce="IOC"))
    assert (ioc["status"], ioc["executedQty"]) == ("EXPIRED", "1.00000000")
    (trade,) = seller.get("myTrades", symbol="ETHBTC", orderId=standing["orderId"]).json()
    assert trade["id"] == ioc["fills"][0]["tradeId"]


def test_a_tested_order_is_not_placed(buyer: BinanceClient) -> None:
    before = buyer.get("openOrders").json()
    assert buyer.post("order/test", **order()).json() == {}
    with_rates = buyer.post("order/test", **order(), computeCommissionRates="true").json()
    assert with_rates["standardCommissionForOrder"] == {
        "maker": "0.00100000",
        "taker": "0.00100000",
    }
    assert buyer.get("openOrders").json() == before


def test_cancel_all(buyer: BinanceClient) -> None:
    wanted = {placed(buyer, **order(quantity=n))["orderId"] for n in ("1", "2", "3")}
    other = placed(buyer, **order(symbol="BTCUSDT", side="SELL", price="90000", quantity="0.01"))
    canceled = buyer.delete("openOrders", symbol="ETHBTC").json()
    assert {o["orderId"] for o in canceled} == wanted
    assert {o["status"] for o in canceled} == {"CANCELED"}
    assert [o["orderId"] for o in buyer.get("openOrders").json()] == [other["orderId"]]
    buyer.delete("order", symbol="BTCUSDT", orderId=other["orderId"])


def test_cancel_restrictions(buyer: BinanceClient, seller: BinanceClient) -> None:
    sold = placed(seller, **order(side="SELL", price="0.05", quantity="2"))
    by_id = {"symbol": "ETHBTC", "orderId": sold["orderId"]}
    early = seller.delete("order", **by_id, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    restricted = (-2011, "Order was not canceled due to cancel restrictions.")
    assert said(early) == restricted
    placed(buyer, **order(price="0.05", quantity="1", timeInForce="IOC"))
    assert said(seller.delete("order", **by_id, cancelRestrictions="ONLY_NEW")) == restricted
    canceled = seller.delete("order", **by_id, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert (canceled.json()["status"], canceled.json()["executedQty"]) == ("CANCELED", "1.00000000")


def test_both_ids_must_agree(buyer: BinanceClient) -> None:
    out = placed(buyer, **order())
    both = {"symbol": "ETHBTC", "orderId": out["orderId"], "origClientOrderId": "another"}
    assert said(buyer.get("order", **both)) == (
        -2039,
        "Client order ID is not correct for this order ID.",
    )
    assert said(buyer.delete("order", **both)) == (-2011, "Unknown order sent.")
    both["origClientOrderId"] = out["clientOrderId"]
    assert buyer.get("order", **both).json()["status"] == "NEW"
    assert buyer.delete("order", **both).status_code == 200
    assert buyer.get("order", **both).json()["status"] == "CANCELED"


def test_the_same_client_order_id_later_is_another_order(buyer: BinanceClient) -> None:
    name = f"again-{uuid.uuid4().hex[:8]}"
    ids = set()
    for _ in range(2):
        ids.add(placed(buyer, **order(newClientOrderId=name))["orderId"])
        buyer.delete("order", symbol="ETHBTC", origClientOrderId=name)
    assert len(ids) == 2
    newest = buyer.get("order", symbol="ETHBTC", origClientOrderId=name).json()
    assert newest["orderId"] == max(ids)


def test_someone_elses_order_is_not_there(buyer: BinanceClient, seller: BinanceClient) -> None:
    out = placed(buyer, **order())
    by_id = {"symbol": "ETHBTC", "orderId": out["orderId"]}
    assert said(seller.get("order", **by_id)) == (-2013, "Order does not exist.")
    assert said(seller.delete("order", **by_id)) == (-2011, "Unknown order sent.")
    assert seller.get("openOrders").json() == []
    assert buyer.delete("order", **by_id).status_code == 200


def test_history_is_paged(exchange: Any) -> None:
    """`startTime` or `orderId` alone: oldest first; neither: the most recent; `endTime`: up to."""
    client = BinanceClient(exchange.url, exchange.create_user("v3-pages", fund=FUNDS))
    orders = [placed(client, **order(quantity=str(n))) for n in range(1, 6)]
    ids = [o["orderId"] for o in orders]
    times = [o["workingTime"] for o in orders]

    def listed(**parameters: object) -> list[int]:
        found = client.get("allOrders", symbol="ETHBTC", **parameters).json()
        return [o["orderId"] for o in found]

    assert listed() == ids
    assert listed(limit=2) == ids[-2:]
    assert listed(orderId=ids[1], limit=2) == ids[1:3]
    assert listed(startTime=times[0], limit=2) == ids[:2]
    assert listed(endTime=times[-1], limit=2) == ids[-2:]
    assert listed(startTime=times[0], endTime=times[0] - 1) == []
    assert client.get("allOrders", symbol="BTCUSDT").json() == []
    client.delete("openOrders", symbol="ETHBTC")
