"""After a load: nothing was made or lost, and the books hold exactly what did not trade."""

from collections.abc import Sequence
from decimal import Decimal

import httpx

from bench.load.origins import MarketPast, missing
from bench.load.running import Run
from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange


def check(exchange: RunningExchange, runs: Sequence[Run]) -> None:
    """`runs` are all that the exchange had; they share market, price and quantity.

    Raises AssertionError. An order of which nobody knows may stand or not.
    """
    plan = runs[0].plan
    state = exchange.state()
    assert all(Decimal(asset["sum"]) == 0 for asset in state["assets"].values()), state
    reports = [run.report for run in runs if run.plan.way != "get"]
    rest = abs(sum(report.sold - report.bought for report in reports))
    standing = state["open_orders"].get(plan.market, 0)
    unknown = sum(report.unknown for report in reports)
    assert abs(standing - rest) <= unknown, f"{standing} orders stand, not {rest} ± {unknown}"
    wait_until(
        lambda: _quantity(exchange.url, plan.market) == Decimal(plan.quantity) * standing,
        f"the public book holds {standing} orders",
    )


def check_followers(run: Run, past: MarketPast) -> None:
    """Of an exchange's first run: every follower had every trade and every change of the book; up
    to the last that was told, where orders without an answer may have traded later."""
    report, followers = run.report, run.plan.followers
    assert not report.closed, f"{report.closed} followers were disconnected"
    assert not any(report.gaps.values()), report.gaps
    for stream, last in (("trade", past.trades), ("depth@100ms", len(past.changes))):
        told = report.told[stream]
        lost = missing(told, followers, 1, told[-1].last if report.unknown and told else last)
        assert not lost, f"{lost} messages of {stream} did not come"


def _quantity(url: str, market: str) -> Decimal:
    """Of all levels of the public book."""
    answer = httpx.get(f"{url}/api/v1/depth", params={"symbol": market}, timeout=20)
    depth = answer.raise_for_status().json()
    return sum((Decimal(quantity) for _, quantity in depth["bids"] + depth["asks"]), Decimal(0))
