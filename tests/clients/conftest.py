"""What the lives of all clients need: somebody to trade with."""

import secrets
from collections.abc import Iterator
from typing import Any, Final

import pytest

from markets.binance.tests.client import BinanceClient, order

FUNDS: Final = {"BTC": "10", "USDT": "1000000"}


@pytest.fixture(scope="session")
def book(exchange: Any) -> Iterator[None]:
    """Bids at 49000 and asks at 50000; each worker of the run has its own."""
    maker = exchange.create_user(f"clients-book-{secrets.token_hex(4)}", fund=FUNDS)
    client = BinanceClient(exchange.url, maker)
    for side, price in (("BUY", "49000"), ("SELL", "50000")):
        placed = client.post(
            "order", **order(symbol="BTCUSDT", side=side, price=price, quantity="5")
        )
        assert placed.status_code == 200, placed.text
    yield
    client.delete("openOrders", symbol="BTCUSDT")


@pytest.fixture
def trader(exchange: Any, book: None) -> list[str]:
    """What a life is told: the address of the exchange, a key and its secret."""
    credentials = exchange.create_user(f"client-{secrets.token_hex(8)}", fund=FUNDS)
    return [exchange.url, credentials["api_key"], credentials["secret_key"]]
