"""Bots in a loop: nothing unexpected in many rounds, nothing missing, and weights that add up.

A hundred rounds each; `make test-clients` takes a thousand (`ROUNDS`).
"""

import os
import time
from typing import Any

from markets.binance.tests.client import BinanceClient, order

ROUNDS = int(os.environ.get("ROUNDS", "100"))
FUNDS = {"BTC": "20", "ETH": "200"}
PLACE, ASK, CANCEL, LIST = 1, 4, 1, 6


def test_place_poll_cancel(exchange: Any) -> None:
    """As freqtrade does it: place, ask, list, cancel, ask again."""
    client = BinanceClient(exchange.url, exchange.create_user("v3-strategy", fund=FUNDS))
    for number in range(ROUNDS):
        placed = client.post("order", **order(price=f"0.0{2000 + number % 500}"))
        assert placed.status_code == 200, placed.text
        by_id = {"symbol": "ETHBTC", "orderId": placed.json()["orderId"]}
        polled = client.get("order", **by_id)
        assert (polled.status_code, polled.json()["status"]) == (200, "NEW"), polled.text
        (listed,) = client.get("openOrders", symbol="ETHBTC").json()
        assert listed == polled.json()
        canceled = client.delete("order", **by_id)
        assert (canceled.status_code, canceled.json()["status"]) == (200, "CANCELED"), canceled.text
        ended = client.get("order", **by_id)
        assert (ended.status_code, ended.json()["status"]) == (200, "CANCELED"), ended.text
    account = client.get("account", omitZeroBalances="true").json()
    assert [b["locked"] for b in account["balances"]] == ["0.00000000"] * 2


def test_an_ioc_is_found_at_once_with_its_trades(exchange: Any) -> None:
    """Tables follow the engine; whoever asks waits for them, and never gets an older answer."""
    seller = BinanceClient(exchange.url, exchange.create_user("v3-ioc-seller", fund=FUNDS))
    buyer = BinanceClient(exchange.url, exchange.create_user("v3-ioc-buyer", fund=FUNDS))
    assert seller.post("order", **order(side="SELL", price="0.05", quantity="50")).is_success
    for _ in range(ROUNDS):
        ioc = order(price="0.05", quantity="0.01", timeInForce="IOC")
        placed = buyer.post("order", **ioc).json()
        by_id = {"symbol": "ETHBTC", "orderId": placed["orderId"]}
        found = buyer.get("order", **by_id).json()
        assert (found.get("status"), found.get("executedQty")) == ("FILLED", "0.01000000"), found
        trades = buyer.get("myTrades", **by_id).json()
        assert [t["id"] for t in trades] == [fill["tradeId"] for fill in placed["fills"]]
    seller.delete("openOrders", symbol="ETHBTC")


def test_weights_add_up(exchange: Any) -> None:
    """Of a bot within its limits: what the headers say is what its calls weigh together."""
    credentials = exchange.create_user("v3-weights", tier="default", fund=FUNDS)
    client = BinanceClient(exchange.url, credentials, address="127.0.1.20")
    used: dict[int, int] = {}
    told: dict[int, int] = {}

    def count(answer: Any, weight: int, before: float) -> None:
        assert answer.status_code == 200, answer.text
        minute = int(time.time()) // 60
        if minute != int(before) // 60:
            return  # counted in the old minute or in the new one: nobody knows
        used[minute] = used.get(minute, 0) + weight
        told[minute] = int(answer.headers["x-mbx-used-weight-1m"])

    for _ in range(20):
        before = time.time()
        placed = client.post("order", **order())
        count(placed, PLACE, before)
        by_id = {"symbol": "ETHBTC", "orderId": placed.json()["orderId"]}
        for path, parameters, weight in (
            ("order", by_id, ASK),
            ("openOrders", {"symbol": "ETHBTC"}, LIST),
        ):
            before = time.time()
            count(client.get(path, **parameters), weight, before)
        before = time.time()
        count(client.delete("order", **by_id), CANCEL, before)
    for minute, weight in told.items():
        assert abs(weight - used[minute]) <= 2 * LIST, "but for calls between two minutes"
    assert sum(told.values()) > 15 * (PLACE + ASK + LIST + CANCEL)
