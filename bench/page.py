"""The trading page on the demo's market, in Chromium, for `MINUTES` (5) of the environment.

Every message of the socket is to be painted without an error in the console and without the heap
growing. At the end the market maker is stopped, and the rows of the book must be those of the
server's book.
"""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
from playwright.sync_api import CDPSession, Page, Response, WebSocket, sync_playwright

from bench.exchanges import running_exchange
from exchange_site.tests.running import RunningExchange
from tests.browser import chromium

SYMBOL = "BTCUSDT"
MB = 1_000_000
PAINTED = """() => {
    const number = (cell) => Number(cell.innerText.replaceAll(",", ""));
    const rows = (id) => [...document.getElementById(id).rows];
    const level = (row) => [...row.cells].slice(0, 2).map(number);
    return ["asks", "bids"].map((id) => rows(id).map(level));
}"""


class Watch:
    """What the page received, loaded and complained of."""

    def __init__(self, page: Page) -> None:
        self.messages = 0
        self.sockets = 0
        self.errors: list[str] = []
        self.scripts: dict[str, int] = {}
        """Bytes on the wire."""
        page.on("websocket", self._socket)
        page.on("response", self._response)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)

    def _socket(self, socket: WebSocket) -> None:
        self.sockets += 1
        socket.on("framereceived", self._count)

    def _count(self, _payload: object) -> None:
        self.messages += 1

    def _response(self, response: Response) -> None:
        if response.url.endswith(".js"):
            self.scripts[response.url] = int(response.header_value("content-length") or 0)


def heap_mb(session: CDPSession) -> float:
    """What JavaScript holds after garbage was collected."""
    session.send("HeapProfiler.collectGarbage")
    used: int = session.send("Runtime.getHeapUsage")["usedSize"]
    return round(used / MB, 2)


def rows_unlike_the_book(page: Page, exchange: RunningExchange) -> int:
    """Once the market stands still. Levels are compared as numbers, price and quantity."""
    os.kill(exchange.process_of("run_market_maker"), signal.SIGSTOP)
    number = -1
    while True:
        depth = httpx.get(f"{exchange.url}/api/v1/depth?symbol={SYMBOL}&limit=100").json()
        page.wait_for_timeout(1000)  # ten times as long as a diff takes, and many frames
        if depth["last_update_id"] == number:
            break
        number = depth["last_update_id"]
    wrong = 0
    for painted, side in zip(page.evaluate(PAINTED), ("asks", "bids"), strict=True):
        levels = [[float(price), float(quantity)] for price, quantity in depth[side]]
        wrong += sum(row != level for row, level in zip(painted, levels, strict=False))
        assert len(levels) >= len(painted)
    return wrong


def watch(exchange: RunningExchange, minutes: float) -> dict[str, Any]:
    path = chromium.find() or chromium.playwrights_own()
    if path is None:
        raise SystemExit("no Chromium is installed: see .ci/run")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.arguments())
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        seen = Watch(page)
        page.goto(f"{exchange.url}/trade/{SYMBOL}")
        session = page.context.new_cdp_session(page)
        started = time.monotonic()
        page.wait_for_timeout(60_000 * min(1.0, minutes / 2))
        early = heap_mb(session)
        page.wait_for_timeout(60_000 * minutes - (time.monotonic() - started) * 1000)
        late = heap_mb(session)
        wrong = rows_unlike_the_book(page, exchange)
        browser.close()
    return {
        "rows_unlike_the_book": wrong,
        "console_errors": seen.errors,
        "sockets": seen.sockets,
        "heap_mb_first_minute": early,
        "heap_mb_last_minute": late,
        "script_bytes": sum(seen.scripts.values()),
        "scripts": len(seen.scripts),
        "messages": seen.messages,
    }


def run() -> Iterator[dict[str, Any]]:
    minutes = float(os.environ.get("MINUTES", "5"))
    with running_exchange(demo=True) as exchange:
        result = watch(exchange, minutes)
    yield {
        "bench": "page",
        "value": result["messages"],
        "unit": "messages",
        "what": f"painted by the trading page in {minutes:g} min",
        **result,
    }
