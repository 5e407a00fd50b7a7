"""An order over REST at rest: one client, one order after the other, on an idle exchange.

Everything is on the way: HTTP, signature, DRF, the engine, the journal's fsync, the answer. The
reference in the same run is a signed request that only reads balances: the same way without the
commit. The books and balances are checked afterwards.
"""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from statistics import median
from typing import Any

import httpx

from bench.exchanges import running_exchange
from markets.tests.native import NativeClient, order

ORDERS = 200
REPEATS = 3


def timed(request: Callable[[], httpx.Response]) -> float:
    """Milliseconds until the answer, which must be a 200."""
    started = time.perf_counter()
    answer = request()
    elapsed = (time.perf_counter() - started) * 1000
    assert answer.status_code == 200, answer.text
    return elapsed


def measure(client: NativeClient) -> tuple[list[float], list[float]]:
    for _ in range(20):
        client.post("/order", order(quantity="0.01"))
    placed = [timed(lambda: client.post("/order", order(quantity="0.01"))) for _ in range(ORDERS)]
    asked = [timed(lambda: client.get("/balances")) for _ in range(ORDERS)]
    return placed, asked


def run() -> Iterator[dict[str, Any]]:
    with running_exchange() as exchange:
        funds = {"BTC": "1000", "ETH": "1000"}
        client = NativeClient(exchange.url, exchange.create_user("bench", fund=funds))
        runs = [measure(client) for _ in range(REPEATS)]
        state = exchange.state()
    assert state["open_orders"]["ETHBTC"] == REPEATS * (ORDERS + 20)
    assert all(Decimal(asset["sum"]) == 0 for asset in state["assets"].values())
    placed = sorted(time_ms for times, _ in runs for time_ms in times)
    asked = [time_ms for _, times in runs for time_ms in times]
    yield {
        "bench": "rest",
        "value": round(median(placed), 2),
        "unit": "ms",
        "what": "median of an order placed at rest",
        "p99": round(placed[int(len(placed) * 0.99)], 2),
        "medians": [round(median(times), 2) for times, _ in runs],
        "orders": len(placed),
        "reference_balances_ms": round(median(asked), 2),
    }
