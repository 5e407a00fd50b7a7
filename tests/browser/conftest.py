"""A browser for each file, and a page for each test that fails on any error in its console."""

from collections.abc import Iterator
from typing import Any

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from exchange_site.tests.processes import wait_until
from exchange_site.tests.settings import TEST_RUN
from markets.tests.native import NativeClient
from tests.browser import chromium
from tests.browser.stream import Stream

PATIENCE_MS = 30_000
PASSWORD = "correct-horse-battery"

_SET_PASSWORD = """
from accounts.models import User
user = User.objects.get(username="{}")
user.set_password("{}")
user.save()
"""


@pytest.fixture(scope="module", autouse=True)
def one_file_at_a_time() -> Iterator[None]:
    """They share ETHUSDT and their users, whichever workers they run in."""
    with FileLock(TEST_RUN / "browser.lock"):
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one file: while playwright runs, no other test of this process can use an event loop."""
    path = chromium.find() or chromium.playwrights_own()
    if path is None:
        pytest.skip("no Chromium is installed: see .ci/run")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.arguments())
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, exchange: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=exchange.url, viewport={"width": 1440, "height": 900}, locale="en-GB"
    )
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type in {"error", "warning"} else None)
    yield page
    # An answer of 4xx is a refusal; Chromium prints it, and tests look for what the page says.
    assert [e for e in errors if "the server responded with a status of 4" not in e] == []


@pytest.fixture
def stream(page: Page) -> Stream:
    """The page's socket, answered by the test."""
    return Stream(page)


class Trader:
    """A user with funds, and both ways in: the API and the password."""

    def __init__(self, exchange: Any, name: str, fund: dict[str, str]) -> None:
        self.name = name
        self._url = exchange.url
        self._session = ""
        self.api = NativeClient(exchange.url, exchange.create_user(name, fund=fund))
        exchange.manage("shell", "--verbosity", "0", "-c", _SET_PASSWORD.format(name, PASSWORD))

    def open(self, page: Page, symbol: str = "ETHUSDT") -> None:
        """The trading page, signed in once for all tests of a file: passwords are slow to check."""
        if not self._session:
            self.sign_in(page, symbol)
            cookies = {c.get("name"): c.get("value") for c in page.context.cookies()}
            self._session = cookies["sessionid"] or ""
            return
        page.context.add_cookies([{"name": "sessionid", "value": self._session, "url": self._url}])
        page.goto(f"/trade/{symbol}")

    def sign_in(self, page: Page, symbol: str = "ETHUSDT") -> None:
        """By way of the trading page's own link."""
        page.goto(f"/trade/{symbol}")
        page.get_by_role("link", name="Sign in to trade").click()
        page.get_by_label("Username").fill(self.name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**/trade/{symbol}")


@pytest.fixture(scope="module")
def trader(exchange: Any) -> Trader:
    return Trader(exchange, "browser-trader", {"ETH": "100", "USDT": "1000000"})


@pytest.fixture(scope="module")
def other(exchange: Any) -> NativeClient:
    funds = {"ETH": "100", "USDT": "1000000"}
    return NativeClient(exchange.url, exchange.create_user("browser-other", fund=funds))


def published(client: NativeClient) -> set[tuple[str, str]]:
    """The prices of the book that pages show, with their side."""
    depth = client.get("/depth", symbol="ETHUSDT").json()
    return {(side, f"{float(price):.2f}") for side in ("bids", "asks") for price, _ in depth[side]}


@pytest.fixture(autouse=True)
def quotes(trader: Trader, other: NativeClient) -> Iterator[None]:
    """A small market around 2500, without orders of the trader."""
    trader.api.delete("/orders")
    rows = [("buy", "2499.50", "2"), ("buy", "2499.00", "3"), ("sell", "2500.50", "1.5")]
    other.post(
        "/orders",
        {
            "orders": [
                {"symbol": "ETHUSDT", "side": s, "type": "limit", "price": p, "quantity": q}
                for s, p, q in rows
            ]
        },
    )
    standing = {("bids", price) if side == "buy" else ("asks", price) for side, price, _ in rows}
    wait_until(lambda: standing <= published(other), "the published book has them")
    yield
    for client in (trader.api, other):
        client.delete("/orders")
