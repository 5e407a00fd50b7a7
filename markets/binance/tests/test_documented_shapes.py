"""Every field of the documented answers is in ours, of the same kind, all the way down."""

import json
from pathlib import Path
from typing import Any

import pytest

from markets.binance.tests.client import BinanceClient, market, order

DOCUMENTED = Path(__file__).parent / "documented"
LIST = {
    "symbol": "ETHBTC",
    "side": "BUY",
    "quantity": "1",
    "aboveType": "STOP_LOSS",
    "aboveStopPrice": "0.1",
    "belowType": "LIMIT_MAKER",
    "belowPrice": "0.02",
}


@pytest.fixture(scope="module")
def answers(exchange: Any) -> dict[str, Any]:
    """What we answer, by the name of the documented answer."""
    funds = {"BTC": "5", "ETH": "50"}
    client = BinanceClient(exchange.url, exchange.create_user("v3-shapes", fund=funds))
    client.post("order", **order(side="SELL", price="0.05", quantity="1"))
    filled = client.post("order", **market(quantity="1")).json()
    placed = client.post("order", **order()).json()
    by_id = {"symbol": "ETHBTC", "orderId": placed["orderId"]}
    listed = client.post("orderList/oco", **LIST).json()
    by_list = {"orderListId": listed["orderListId"]}
    replaced = {"cancelOrderId": placed["orderId"], "cancelReplaceMode": "STOP_ON_FAILURE"}
    return {
        "exchangeInfo": client.public("exchangeInfo").json(),
        "account": client.get("account").json(),
        "account-commission": client.get("account/commission", symbol="ETHBTC").json(),
        "order-full": filled,
        "order": client.get("order", **by_id).json(),
        "order-ack": client.post("order", **order(newOrderRespType="ACK")).json(),
        "cancelReplace": client.post("order/cancelReplace", **replaced, **order()).json(),
        "orderList-placed": listed,
        "orderList": client.get("orderList", **by_list).json(),
        "orderList-canceled": client.delete("orderList", symbol="ETHBTC", **by_list).json(),
        "canceled": client.delete("openOrders", symbol="ETHBTC").json()[0],
        "myTrades": client.get("myTrades", symbol="ETHBTC").json(),
        "ticker-24hr": client.public("ticker/24hr", symbol="ETHBTC").json(),
    }


def missing(documented: Any, ours: Any, place: str = "") -> list[str]:
    """Where ours lacks a field, or has one of another kind."""
    if type(documented) is not type(ours):
        return [f"{place}: {type(ours).__name__} for {type(documented).__name__}"]
    if isinstance(documented, dict):
        gone = [f"{place}.{name}: missing" for name in documented.keys() - ours.keys()]
        common = documented.keys() & ours.keys()
        return gone + [
            fault for n in common for fault in missing(documented[n], ours[n], f"{place}.{n}")
        ]
    if isinstance(documented, list) and documented:
        if not ours:
            return [f"{place}: empty"]
        return [fault for item in ours[:1] for fault in missing(documented[0], item, f"{place}[]")]
    return []


@pytest.mark.parametrize("name", sorted(path.stem for path in DOCUMENTED.glob("*.json")))
def test_a_documented_answer_is_a_subset_of_ours(answers: dict[str, Any], name: str) -> None:
    documented = json.loads((DOCUMENTED / f"{name}.json").read_text())
    assert missing(documented, answers[name]) == []


def test_the_comparison_finds_what_is_missing() -> None:
    assert missing({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}) == [".a[].b: str for int"]
    assert missing({"a": 1}, {}) == [".a: missing"]
