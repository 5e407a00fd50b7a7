"""The page that tells how to connect a bot: with this installation's address, and working."""

import ast
import json

import httpx
import pytest

from exchange_site.tests.running import RunningExchange


def test_the_page_has_the_real_address(exchange: RunningExchange) -> None:
    page = httpx.get(f"{exchange.url}/account/connect")
    assert page.status_code == 200
    for client in ("ccxt", "python-binance", "freqtrade", "hummingbot"):
        assert f'id="{client}"' in page.text
    assert exchange.url in page.text
    assert exchange.url.replace("http", "ws", 1) in page.text


def test_only_get(exchange: RunningExchange) -> None:
    assert httpx.post(f"{exchange.url}/account/connect").status_code in (403, 405)


def test_the_trading_page_leads_there(exchange: RunningExchange) -> None:
    assert "/account/connect" in httpx.get(f"{exchange.url}/trade/BTCUSDT").text


@pytest.mark.parametrize("client", ["ccxt", "python-binance", "hummingbot", "freqtrade"])
def test_snippets_are_well_formed(exchange: RunningExchange, client: str) -> None:
    snippet = exchange.operate(
        "markets.connecting.connect_snippets", scheme="https", host="exchange.example"
    )[client]
    assert "exchange.example" in snippet
    assert "http:" not in snippet
    if client == "freqtrade":
        json.loads(snippet)
    else:
        ast.parse(snippet)
