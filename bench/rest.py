"""Orders over REST, beside an empty authenticated view of the same web process in the same run.

The view does nothing, but DRF has found out who calls, as it does for every request: what an order
adds to that is the exchange's own. The two are asked in turn, as fast as it goes over 8 kept
connections, in ROUNDS rounds of `SECONDS=3` each. Then one connection alone, `/api/v3`, lists of
20, and an open loop of single orders at four fifths of what was possible.
"""

import os
from collections.abc import Iterator
from statistics import median
from typing import Any, Final

import msgspec

from bench.exchanges import rich_users, running_exchange
from bench.load.checks import check
from bench.load.plan import Plan
from bench.load.running import Run, figures, percentiles_ms, rate_of
from bench.load.running import run as run_plan
from bench.reference.serving import EMPTY, reference_web

CONNECTIONS: Final = 8
ROUNDS: Final = 5
LIST: Final = 20
WARM_UP_S: Final = 2.0


def run() -> Iterator[dict[str, Any]]:
    seconds = float(os.environ.get("SECONDS", "3"))
    with running_exchange() as exchange, reference_web(exchange) as web:
        common = Plan(
            url=web.url,
            users=rich_users(exchange),
            way="rest",
            path=EMPTY,
            connections=CONNECTIONS,
            seconds=seconds,
        )
        runs: list[Run] = []

        def load(**changes: Any) -> Run:
            plan = msgspec.structs.replace(common, **changes)
            runs.append(run_plan(plan, exchange.supervisor, others={"web": [web.pid]}))
            return runs[-1]

        load(seconds=WARM_UP_S)
        rounds = [(load(way="get"), load()) for _ in range(ROUNDS)]
        yield from _single(rounds)
        yield _alone(load(connections=1))
        yield _throughput(load(way="v3"), "orders one by one over /api/v3")
        yield _throughput(load(together=LIST), f"orders in lists of {LIST}")
        rate = 0.8 * median(rate_of(placed) for _, placed in rounds)
        yield _latency(load(rate=rate))
        check(exchange, runs)


def _single(rounds: list[tuple[Run, Run]]) -> Iterator[dict[str, Any]]:
    ratios = [rate_of(placed) / rate_of(empty) for empty, placed in rounds]
    placed = sorted((run for _, run in rounds), key=rate_of)[len(rounds) // 2]
    yield {
        **_throughput(placed, "orders one by one"),
        "rates": [round(rate_of(run)) for _, run in rounds],
    }
    yield {
        "bench": "rest",
        "value": percentiles_ms(placed.report.latencies)["p50"],
        "unit": "ms",
        "what": f"median of orders one by one at {CONNECTIONS} connections, as fast as it goes",
    }
    yield {
        "bench": "rest",
        "value": round(median(ratios), 3),
        "unit": "ratio",
        "what": "rate of orders one by one to that of an empty authenticated view",
        "ratios": [round(ratio, 3) for ratio in ratios],
        "reference_a_second": [round(rate_of(run)) for run, _ in rounds],
        "web_cpu_us": {
            name: round(median(_web_cpu_us(run) for run in runs))
            for name, runs in zip(("reference", "order"), zip(*rounds, strict=True), strict=True)
        },
    }


def _web_cpu_us(run: Run) -> float:
    """A request."""
    return run.cores["web"] / rate_of(run) * 1e6


def _alone(run: Run) -> dict[str, Any]:
    return {
        "bench": "rest",
        "value": percentiles_ms(run.report.latencies)["p50"],
        "unit": "ms",
        "what": "median of one order after the other, on one connection",
        **figures(run),
    }


def _throughput(run: Run, what: str) -> dict[str, Any]:
    return {
        "bench": "rest",
        "value": round(rate_of(run)),
        "unit": "orders/s",
        "what": f"{what}, as fast as it goes",
        **figures(run),
    }


def _latency(run: Run) -> dict[str, Any]:
    return {
        "bench": "rest",
        "value": percentiles_ms(run.report.latencies)["p99"],
        "unit": "ms",
        "what": "p99 of orders one by one, from the intended sending to the answer",
        **figures(run),
    }
