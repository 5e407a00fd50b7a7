"""The trading page in a real browser: what it shows, and orders placed by hand."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from exchange_site.supervisor.parts import PROJECT
from markets.tests.native import NativeClient
from realtime.protocol import NOT_SIGNED_IN, UNAVAILABLE
from tests.browser.conftest import Trader
from tests.browser.stream import Stream, depth_event

MAX_SCRIPT_BYTES = 150_000


def place(page: Page, side: str, price: str, quantity: str) -> None:
    page.locator(".sides").get_by_text(side).click()
    page.get_by_label("Price").fill(price)
    page.get_by_label("Amount").fill(quantity)
    page.locator("#submit").click()


def best(page: Page, side: str) -> str:
    row = page.locator(f"#{side} tr").first
    return " ".join(row.locator("td").all_inner_texts()[:2])


def test_the_first_view_needs_no_script(browser: Browser, exchange: Any) -> None:
    context = browser.new_context(base_url=exchange.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/trade/ETHUSDT")
    assert best(page, "bids") == "2,499.50 2.0000"
    assert best(page, "asks") == "2,500.50 1.5000"
    expect(page.get_by_role("link", name="Sign in to trade")).to_be_visible()
    assert page.goto("/trade/NOSUCH").status == 404  # type: ignore[union-attr]
    context.close()


def test_the_page_is_live_and_shows_what_is_there(
    page: Page, stream: Stream, trader: Trader
) -> None:
    trader.open(page)
    expect(page.locator("#connection")).to_have_text("Live")
    assert {"ethusdt@depth@100ms", "ethusdt@trade", "ethusdt@ticker", "user"} <= stream.subscribed
    assert best(page, "bids") == "2,499.50 2.0000"
    expect(page.locator("#mid")).to_have_text("2,500.00")
    expect(page.locator("#available")).to_contain_text("USDT")
    expect(page.locator("#chart canvas").first).to_be_visible()
    expect(page.get_by_role("link", name="Charting by TradingView")).to_be_visible()


def test_an_order_by_hand_stands_and_is_cancelled(
    page: Page, stream: Stream, trader: Trader
) -> None:
    trader.open(page)
    place(page, "Buy", "2400", "0.5")
    expect(page.locator("#order-status")).to_have_text("Order placed: buy 0.5000 ETH at 2,400.00.")
    row = page.locator("#orders tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("2,400.00")
    assert [o["price"] for o in trader.api.get("/order/open").json()] == ["2400.00000000"]
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_count(0)
    expect(page.get_by_text("No open orders.")).to_be_visible()
    assert trader.api.get("/order/open").json() == []


def test_cancel_all(page: Page, stream: Stream, trader: Trader) -> None:
    for price in ("2300", "2301"):
        trader.api.post("/order", {
            "symbol": "ETHUSDT", "side": "buy", "type": "limit", "price": price, "quantity": "1",
        })  # fmt: skip
    trader.open(page)
    expect(page.locator("#orders-count")).to_have_text("2")
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator("#orders-count")).to_have_text("0")
    assert trader.api.get("/order/open").json() == []


def test_an_order_by_hand_is_filled(
    page: Page, stream: Stream, trader: Trader, other: NativeClient
) -> None:
    trader.open(page)
    page.locator("#asks tr").first.click()
    expect(page.get_by_label("Price")).to_have_value("2500.50")
    place(page, "Buy", "2500.50", "1")
    expect(page.locator("#order-status")).to_have_text("Bought 1.0000 ETH at 2,500.50.")
    page.get_by_role("radio", name="Market").check(force=True)
    page.locator(".sides").get_by_text("Sell").click()
    page.get_by_label("Amount").fill("1")
    page.locator("#submit").click()
    expect(page.locator("#order-status")).to_have_text("Sold 1.0000 ETH at 2,499.50.")


def test_refusals_are_said(page: Page, stream: Stream, trader: Trader) -> None:
    trader.open(page)
    alert = page.locator("#order-alert")
    place(page, "Buy", "2400", "100000")
    expect(alert).to_contain_text("The quantity is above the market's maximum")
    place(page, "Sell", "2600", "9999")
    expect(alert).to_contain_text("The balance does not suffice")
    page.get_by_label("Post-only").check()
    place(page, "Buy", "2501", "1")
    expect(alert).to_contain_text("A post-only order would take")
    place(page, "Buy", "2.4.0", "1")
    expect(alert).to_contain_text("no plain decimal")
    expect(page.get_by_label("Price")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#orders tr")).to_have_count(0)


def test_the_book_follows_diffs_and_mends_a_gap(
    page: Page, stream: Stream, trader: Trader, other: NativeClient
) -> None:
    trader.open(page)
    expect(page.locator("#connection")).to_have_text("Live")
    best_bid = page.locator("#bids button").first
    last = other.get("/depth", symbol="ETHUSDT").json()["last_update_id"]
    stream.send(
        "ethusdt@depth@100ms", depth_event(last + 1, last + 1, [["2499.70000000", "7.00000000"]])
    )
    expect(best_bid).to_have_text("2,499.70")
    stream.send(
        "ethusdt@depth@100ms", depth_event(last + 2, last + 3, [["2499.70000000", "0.00000000"]])
    )
    expect(best_bid).to_have_text("2,499.50")
    with page.expect_response(re.compile(r"/api/v1/depth")):
        stream.send(
            "ethusdt@depth@100ms",
            depth_event(last + 9, last + 9, [["2499.90000000", "1.00000000"]]),
        )
    expect(best_bid).to_have_text("2,499.50")


def test_without_a_connection_it_says_that_it_is_stale_and_comes_back(
    page: Page, stream: Stream, trader: Trader, other: NativeClient
) -> None:
    trader.open(page)
    expect(page.locator("#connection")).to_have_text("Live")
    stream.drop(refuse=True)
    expect(page.locator("#connection")).to_contain_text("Reconnecting")
    expect(page.locator("#book-panel .stale-mark")).to_be_visible()
    placed = other.post("/order", {
        "symbol": "ETHUSDT", "side": "buy", "type": "limit", "price": "2499.80", "quantity": "1",
    }).json()  # fmt: skip
    assert placed["status"] == "new"
    stream.refuses = False
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("#book-panel .stale-mark")).to_be_hidden()
    expect(page.locator("#bids button").first).to_have_text("2,499.80")


def test_the_market_is_live_before_it_is_known_who_is_signed_in(
    page: Page, stream: Stream, trader: Trader
) -> None:
    stream.user_error = UNAVAILABLE
    trader.open(page)
    expect(page.locator("#connection")).to_have_text("Live")
    assert "ethusdt@depth@100ms" in stream.subscribed
    assert "user" not in stream.subscribed
    trader.api.post("/order", {
        "symbol": "ETHUSDT", "side": "buy", "type": "limit", "price": "2400", "quantity": "1",
    })  # fmt: skip
    stream.user_error = None
    expect(page.locator("#orders tr")).to_have_count(1)
    assert "user" in stream.subscribed
    assert stream.connections == 1


def test_a_session_that_ended_while_the_socket_was_away_is_noticed(
    page: Page, stream: Stream, trader: Trader
) -> None:
    trader.open(page)
    expect(page.locator("#connection")).to_have_text("Live")
    page.context.clear_cookies()
    stream.user_error = NOT_SIGNED_IN
    stream.drop()
    expect(page.get_by_role("link", name="Sign in to trade")).to_be_visible()
    expect(page.locator("#connection")).to_have_text("Live")


def test_user_events_change_orders_and_balances(page: Page, stream: Stream, trader: Trader) -> None:
    trader.open(page)
    expect(page.locator("#connection")).to_have_text("Live")
    place(page, "Buy", "2400", "0.5")
    expect(page.locator("#orders tr")).to_have_count(1)
    (order,) = trader.api.get("/order/open").json()
    report = {
        "e": "executionReport", "s": "ETHUSDT", "c": order["client_order_id"], "S": "BUY",
        "o": "LIMIT", "f": "GTC", "q": "0.50000000", "p": "2400.00000000", "C": "",
        "x": "TRADE", "X": "PARTIALLY_FILLED", "i": order["order_id"], "z": "0.25000000",
        "O": order["created_at"],
    }  # fmt: skip
    stream.send("user", report)
    expect(page.locator("#orders tr")).to_contain_text("0.2500 (50%)")
    stream.send("user", {**report, "X": "FILLED", "z": "0.50000000"})
    expect(page.locator("#orders tr")).to_have_count(0)
    position = {"a": "USDT", "f": "42.00000000", "l": "0.00000000"}
    stream.send("user", {"e": "outboundAccountPosition", "B": [position]})
    expect(page.locator("#available")).to_have_text("42.00000000 USDT")


def test_trades_tickers_and_candles_are_painted(page: Page, stream: Stream, trader: Trader) -> None:
    trader.open(page)
    expect(page.locator("#connection")).to_have_text("Live")
    for number in range(200):
        stream.send("ethusdt@trade", {
            "e": "trade", "s": "ETHUSDT", "t": 10**9 + number, "p": f"{2500 + number}.00000000",
            "q": "0.10000000", "T": 1_700_000_000_000 + number, "m": number % 2 == 0,
        })  # fmt: skip
    expect(page.locator("#tape tr").first).to_contain_text("2,699.00")
    expect(page.locator("#last")).to_have_text("2,699.00")
    stream.send("ethusdt@ticker", {
        "e": "24hrTicker", "s": "ETHUSDT", "p": "-12.00000000", "P": "-0.480", "c": "2700.00000000",
        "o": "2712.00000000", "h": "2800.00000000", "l": "2400.00000000", "v": "12.30000000",
        "q": "30000.00000000",
    })  # fmt: skip
    expect(page.locator("#stat-change")).to_have_text("-12.00 -0.48%")
    candle = {
        "t": 4_000_000_020_000,
        "i": "1m",
        "o": "2700",
        "c": "2701",
        "h": "2702",
        "l": "2699",
        "v": "5",
    }
    stream.send("ethusdt@kline_1m", {"e": "kline", "s": "ETHUSDT", "k": candle})
    expect(page.locator("#legend")).to_contain_text("C 2,701.00")


def test_keys(page: Page, stream: Stream, trader: Trader) -> None:
    trader.open(page)
    page.keyboard.press("s")
    expect(page.locator("#submit")).to_have_text("Sell ETH")
    expect(page.get_by_label("Price")).to_be_focused()
    page.keyboard.type("2500")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_label("Price")).to_have_value("2499.91")
    page.keyboard.press("b")  # within a field it is a letter
    expect(page.locator("#submit")).to_have_text("Sell ETH")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("sol")
    expect(page.locator("#pairs li:visible")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#pairs")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


# How many rows of the list are seen, and how many pixels stick out of it.
VISIBLE_ROWS = """(list) => {
    const box = list.getBoundingClientRect();
    const rows = [...list.rows].map((row) => row.getBoundingClientRect());
    const seen = rows.filter((row) =>
        row.left < box.right && row.bottom > box.top && row.top < box.bottom);
    const out = seen.map((row) => Math.max(box.top - row.top, row.bottom - box.bottom));
    return [seen.length, Math.max(...out)];
}"""


@pytest.mark.parametrize("size", [(1440, 900), (1280, 720), (1366, 768), (390, 844)])
def test_no_row_of_the_book_is_cut(page: Page, stream: Stream, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/trade/ETHUSDT")
    if size[0] < 760:
        page.get_by_role("tab", name="Book").click()
    for name in ("asks", "bids"):
        seen, cut = page.locator(f"#{name}").evaluate(VISIBLE_ROWS)
        assert seen >= 5
        assert cut < 1
    best_ask = page.locator("#asks tr").first.bounding_box()
    middle = page.locator(".middle tr").bounding_box()
    assert best_ask is not None
    assert middle is not None
    assert abs(best_ask["y"] + best_ask["height"] - middle["y"]) < 1


def test_on_a_phone(browser: Browser, exchange: Any, trader: Trader) -> None:
    context = browser.new_context(base_url=exchange.url, viewport={"width": 390, "height": 844})
    page = context.new_page()
    Stream(page)
    trader.open(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("tab", name="Book").click()
    expect(page.locator("#bids")).to_be_visible()
    expect(page.locator("#chart")).to_be_hidden()
    page.locator(".dock").get_by_role("button", name="Sell").click()
    expect(page.locator("#submit")).to_have_text("Sell ETH")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#submit")).to_be_hidden()
    context.close()


def test_nothing_inline_and_nothing_from_elsewhere(page: Page, stream: Stream) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    answer = page.goto("/trade/ETHUSDT")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    page.wait_for_load_state("networkidle")
    origin = page.evaluate("location.origin")
    assert {u for u in urls if not u.startswith((origin, "data:"))} == set()


def test_the_scripts_are_small() -> None:
    scripts = list((PROJECT / "markets" / "static").rglob("*.js"))
    assert scripts
    assert sum(_compressed(script) for script in scripts) < MAX_SCRIPT_BYTES


def _compressed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes()))
