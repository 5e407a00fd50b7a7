"""Orders over the WebSocket API, in lists of 20 and one by one: how many, and how long they take.

First a closed loop, as fast as it goes. Then an open one at the rate that is the aim, or at four
fifths of what was possible where that is less. Where answers take too long there, lower rates are
tried until they do not. `SECONDS=10` is the length of each of these loads, but half of it where
lower rates are tried; `LIST=20` or `LIST=1` runs only some; `RATE=12000` is another rate for the
open loop.
"""

import os
from collections.abc import Iterator
from typing import Any, Final

from bench.exchanges import rich_users, running_exchange
from bench.load.checks import check
from bench.load.plan import Plan, User
from bench.load.running import Run, figures, percentiles_ms, rate_of
from bench.load.running import run as run_plan
from engine.connections import connect
from engine.journal import tail_sequence

CONNECTIONS: Final = 4
UNDER_WAY: Final = {20: 12, 1: 20}
"""Requests of each connection in the closed loop, by the orders of a request."""

UNBOUNDED: Final = 100
"""In the open loop: the server lets no more of a socket's requests in."""

AIMS: Final = {20: 10_000.0, 1: 4_000.0}
"""Orders a second."""

PROMPT_MS: Final = 50
"""What p99 should stay under."""

LOWER: Final = (0.65, 0.5, 0.35, 0.25)
"""Rates that are tried for that, as shares of what was possible."""

WARM_UP_S: Final = 2.0

CATCHING_UP_S: Final = 300.0
"""How long the tables may take for what a load left; after `SECONDS=60` it is most of a minute."""


def run() -> Iterator[dict[str, Any]]:
    seconds = float(os.environ.get("SECONDS", "10"))
    lengths = [int(text) for text in os.environ.get("LIST", "20,1").split(",")]
    with running_exchange() as exchange, connect(exchange.engine_redis_url) as journal:
        users = rich_users(exchange)

        def load(together: int, *, rate: float = 0, seconds: float = seconds) -> Run:
            # They may be behind after the load before, and would catch up beside this one.
            exchange.wait_for_tables(tail_sequence(journal), timeout_s=CATCHING_UP_S)
            plan = _plan(exchange.url, users, together, rate, seconds)
            return run_plan(plan, exchange.supervisor)

        runs = []
        for together in lengths:
            runs.append(load(together, seconds=WARM_UP_S))
            runs.append(fastest := load(together))
            aim = float(os.environ.get("RATE", AIMS[together]))
            runs.append(steady := load(together, rate=min(aim, 0.8 * rate_of(fastest))))
            yield _throughput(fastest)
            yield _latency(steady, aim)
            tried = [steady]
            for share in LOWER:
                if _p99_ms(tried[-1]) < PROMPT_MS:
                    break
                lower = share * rate_of(fastest)
                tried.append(load(together, rate=lower, seconds=seconds / 2))
            runs += tried[1:]
            yield _prompt(tried)
        check(exchange, runs)


def _plan(url: str, users: list[User], together: int, rate: float, seconds: float) -> Plan:
    return Plan(
        url=url,
        users=users,
        rate=rate,
        seconds=seconds,
        connections=CONNECTIONS,
        under_way=UNBOUNDED if rate else UNDER_WAY[together],
        together=together,
    )


def _kind(run: Run) -> str:
    together = run.plan.together
    return "orders one by one" if together == 1 else f"orders in lists of {together}"


def _throughput(run: Run) -> dict[str, Any]:
    return {
        "bench": "ws",
        "value": round(rate_of(run)),
        "unit": "orders/s",
        "what": f"{_kind(run)}, as fast as it goes",
        **figures(run),
    }


def _p99_ms(run: Run) -> float:
    return percentiles_ms(run.report.latencies)["p99"]


def _rate_kept(run: Run) -> float:
    """Of an open loop: the rate that was asked for, where all of it was answered. The time of a
    load ends with its last answer, which is a little later."""
    report = run.report
    is_complete = not (report.refused or report.unknown or report.unsent)
    return run.plan.rate if is_complete else rate_of(run)


def _prompt(tried: list[Run]) -> dict[str, Any]:
    return {
        "bench": "ws",
        "value": round(max((_rate_kept(r) for r in tried if _p99_ms(r) < PROMPT_MS), default=0)),
        "unit": "orders/s",
        "what": f"{_kind(tried[0])} with p99 under {PROMPT_MS} ms",
        "tried": [{"orders_a_second": round(_rate_kept(r)), "p99_ms": _p99_ms(r)} for r in tried],
    }


def _latency(run: Run, aim: float) -> dict[str, Any]:
    return {
        "bench": "ws",
        "value": _p99_ms(run),
        "unit": "ms",
        "what": f"p99 of {_kind(run)}, from the intended sending to the answer",
        "aim_a_second": aim,
        **figures(run),
    }
