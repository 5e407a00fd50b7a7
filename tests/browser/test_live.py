"""Two users trade while a page and a plain client watch the real feed."""

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from websockets.sync.client import connect

from markets.tests.native import NativeClient
from realtime.routing import websocket_urlpatterns
from tests.browser.conftest import Trader

pytestmark = pytest.mark.skipif(not websocket_urlpatterns, reason="no feed is served yet")

STREAMS = ("ethusdt@depth@100ms", "ethusdt@trade", "ethusdt@ticker")


def order(side: str, price: str, quantity: str) -> dict[str, str]:
    return {
        "symbol": "ETHUSDT", "side": side, "type": "limit", "price": price, "quantity": quantity,
    }  # fmt: skip


def test_two_users_trade_and_everybody_sees_it(
    page: Page, trader: Trader, other: NativeClient, exchange: Any
) -> None:
    address = exchange.url.replace("http", "ws", 1)
    with connect(f"{address}/stream?streams={'/'.join(STREAMS)}") as watcher:
        trader.sign_in(page)
        expect(page.locator("#connection")).to_have_text("Live")

        # Somebody offers: the book shows it.
        other.post("/order", order("sell", "2500.20", "2"))
        expect(page.locator("#asks tr").first).to_contain_text("2,500.20")

        # Taken by hand: filled at once, on the tape, and in the strip.
        page.locator("#asks tr").first.click()
        page.get_by_label("Amount").fill("0.5")
        page.locator("#submit").click()
        expect(page.locator("#order-status")).to_have_text("Bought 0.5000 ETH at 2,500.20.")
        expect(page.locator("#tape tr").first).to_contain_text("2,500.20")
        expect(page.locator("#last")).to_have_text("2,500.20")
        expect(page.locator("#asks tr").first).to_contain_text("1.5000")

        # What stands is filled by the other: it leaves the open orders without a reload.
        page.get_by_label("Price").fill("2499.90")
        page.get_by_label("Amount").fill("1")
        page.locator("#submit").click()
        expect(page.locator("#orders tr")).to_have_count(1)
        expect(page.locator("#bids tr").first).to_contain_text("2,499.90")
        other.post("/order", order("sell", "2499.90", "0.4"))
        expect(page.locator("#orders tr")).to_contain_text("0.4000 (40%)")
        other.post("/order", order("sell", "2499.90", "0.6"))
        expect(page.locator("#orders tr")).to_have_count(0)

        seen = _streams_seen(watcher)
    assert seen == set(STREAMS)


def test_signing_out_in_one_tab_signs_out_the_other(page: Page, trader: Trader) -> None:
    trader.sign_in(page)
    expect(page.locator("#connection")).to_have_text("Live")
    tab = page.context.new_page()
    tab.goto("/")
    tab.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in to trade")).to_be_visible()
    expect(page.locator("#connection")).to_have_text("Live")


def _streams_seen(watcher: Any) -> set[str]:
    seen: set[str] = set()
    deadline = time.monotonic() + 10
    while seen != set(STREAMS) and time.monotonic() < deadline:
        seen.add(json.loads(watcher.recv(timeout=10))["stream"])
    return seen
