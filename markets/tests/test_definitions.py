"""When a market is known to those who ask for it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from exchange_site.tests.running import RunningExchange
from markets.binance.tests.client import BinanceClient, said


@contextmanager
def somebody_asks_for_nonsense(url: str) -> Iterator[None]:
    """All the time, so that the tables were looked at a moment ago, whenever that is."""
    enough = threading.Event()

    def ask() -> None:
        client = BinanceClient(url)
        while not enough.wait(0.02):
            assert said(client.public("avgPrice", symbol="NOSUCH"))[0] == -1121

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield
        finally:
            enough.set()
    asking.result()


def test_a_market_is_known_as_soon_as_the_tables_have_it(exchange: RunningExchange) -> None:
    client = BinanceClient(exchange.url)
    with somebody_asks_for_nonsense(exchange.url):
        for number in range(5):
            symbol = f"NEW{number}BTC"
            exchange.define_market(symbol, base="ETH", quote="BTC", tick="0.00001", step="0.001")
            answer = client.public("avgPrice", symbol=symbol)
            assert answer.status_code == 200, answer.text
