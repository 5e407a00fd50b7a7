"""The real, unmodified clients trade here, from loading the markets to their own trades."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from markets.binance.tests.client import BinanceClient, order
from tests.clients.environments import python_of

LIVES = Path(__file__).parent / "lives"
FUNDS = {"BTC": "10", "USDT": "1000000"}


@pytest.fixture(scope="module")
def book(exchange: Any) -> Any:
    """Somebody to trade with: bids at 49000, asks at 50000."""
    client = BinanceClient(exchange.url, exchange.create_user("clients-book", fund=FUNDS))
    for side, price in (("BUY", "49000"), ("SELL", "50000")):
        placed = client.post(
            "order", **order(symbol="BTCUSDT", side=side, price=price, quantity="5")
        )
        assert placed.status_code == 200, placed.text
    yield
    client.delete("openOrders", symbol="BTCUSDT")


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(
    ("client", "life"),
    [
        ("ccxt", "ccxt_rest"),
        ("python-binance", "python_binance"),
        ("binance-connector", "binance_connector"),
    ],
)
def test_life_of(exchange: Any, client: str, life: str) -> None:
    credentials = exchange.create_user(f"client-{client}", fund=FUNDS)
    done = subprocess.run(
        [
            str(python_of(client)),
            str(LIVES / f"{life}.py"),
            exchange.url,
            credentials["api_key"],
            credentials["secret_key"],
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-4000:]
