"""The caller's own account over `/api/v3`, and what default clients ask for beside it."""

from typing import Any

import pytest

from markets.binance.tests.client import BinanceClient, order, said

NO_SUCH_KEY = (-1125, "This listenKey does not exist.")


@pytest.fixture(scope="module")
def client(exchange: Any) -> BinanceClient:
    credentials = exchange.create_user("v3-account", fund={"BTC": "2"})
    return BinanceClient(exchange.url, credentials, address="127.0.1.4")


def test_balances_follow(client: BinanceClient) -> None:
    placed = client.post("order", **order(quantity="10")).json()
    balances = {b["asset"]: b for b in client.get("account").json()["balances"]}
    assert balances["BTC"] == {"asset": "BTC", "free": "1.80000000", "locked": "0.20000000"}
    assert balances["ETH"] == {"asset": "ETH", "free": "0.00000000", "locked": "0.00000000"}
    client.delete("order", symbol="ETHBTC", orderId=placed["orderId"])
    held = client.get("account", omitZeroBalances="true").json()["balances"]
    assert held == [{"asset": "BTC", "free": "2.00000000", "locked": "0.00000000"}]


def test_fees(client: BinanceClient) -> None:
    account = client.get("account").json()
    assert (account["makerCommission"], account["takerCommission"]) == (10, 10)
    rates = {
        "maker": "0.00100000",
        "taker": "0.00100000",
        "buyer": "0.00000000",
        "seller": "0.00000000",
    }
    assert account["commissionRates"] == rates
    assert account["canTrade"] is True
    one = client.get("account/commission", symbol="ETHBTC").json()
    assert one["standardCommission"] == rates
    fees = client.get("../../sapi/v1/asset/tradeFee").json()
    assert {"symbol": "ETHBTC", "makerCommission": "0.001", "takerCommission": "0.001"} in fees
    assert len(client.get("../../sapi/v1/asset/tradeFee", symbol="ETHBTC").json()) == 1


@pytest.mark.parametrize(
    "path",
    [
        "capital/config/getall",
        "margin/allPairs",
        "margin/isolated/allPairs",
        "spot/delist-schedule",
    ],
)
def test_there_is_neither_wallet_nor_margin(client: BinanceClient, path: str) -> None:
    assert client.get(f"../../sapi/v1/{path}").json() == []


def test_a_listen_key_needs_the_key_alone(client: BinanceClient) -> None:
    key = client.keyed("POST", "userDataStream").json()["listenKey"]
    assert len(key) == 64
    assert client.keyed("POST", "userDataStream").json()["listenKey"] == key, "one an account"
    assert client.keyed("PUT", "userDataStream", listenKey=key).json() == {}
    assert client.keyed("DELETE", "userDataStream", listenKey=key).json() == {}
    for method in ("PUT", "DELETE"):
        assert said(client.keyed(method, "userDataStream", listenKey=key)) == NO_SUCH_KEY
    assert client.keyed("POST", "userDataStream").json()["listenKey"] != key


def test_somebody_elses_listen_key(exchange: Any, client: BinanceClient) -> None:
    other = BinanceClient(exchange.url, exchange.create_user("v3-listener"), address="127.0.1.4")
    key = other.keyed("POST", "userDataStream").json()["listenKey"]
    for method in ("PUT", "DELETE"):
        assert said(client.keyed(method, "userDataStream", listenKey=key)) == NO_SUCH_KEY
    assert other.keyed("PUT", "userDataStream", listenKey=key).json() == {}
