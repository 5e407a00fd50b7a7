"""Sockets that watch a market with 28 events a second, 10 of depth@100ms and 18 trades: how long
the events take to get to them, what a socket costs, and how many of them one web process holds.

Depth counts from the end of its interval, trades from their own time. First 1,000 sockets for
`SECONDS=20`; then 2,000, 3,000 and so on up to `MOST=8000`, half as long each, until the p99 of
either is over 100 ms or a message did not come. Where 1,000 are too many, half of them, and again.
"""

import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
import redis

from bench.exchanges import rich_users, running_exchange
from bench.load.checks import check
from bench.load.limits import raise_open_files
from bench.load.origins import MarketPast, latencies, missing
from bench.load.plan import Plan
from bench.load.running import Run, figures, values_ms
from bench.load.running import run as run_plan

TRADES_A_SECOND: Final = 18
STREAMS: Final = {
    "trade": "trades, from their time",
    "depth@100ms": "depth, from its interval's end",
}
STEP: Final = 1_000
LEAST: Final = 100
P99_MS: Final = 100.0
FILES_BESIDE: Final = 500
"""That a process has open besides its sockets."""


class Crowd(NamedTuple):
    """What a number of sockets had."""

    run: Run
    events_ms: dict[str, dict[str, float]]
    missing: int

    @property
    def sockets(self) -> int:
        return self.run.plan.followers

    @property
    def p99_ms(self) -> float:
        """Of the slower stream."""
        return max(each["p99"] for each in self.events_ms.values())

    @property
    def holds(self) -> bool:
        return self.p99_ms <= P99_MS and not self.missing


class Hall:
    """A market whose crowd grows."""

    def __init__(self, plan: Plan, supervisor: int, journal: "redis.Redis") -> None:
        self._plan = plan
        self._supervisor = supervisor
        self._journal = journal
        self._past = MarketPast(plan.market)
        self.runs: list[Run] = []

    def gather(self, sockets: int, seconds: float) -> Crowd:
        plan = msgspec.structs.replace(self._plan, followers=sockets, seconds=seconds)
        past = self._past
        past.read(self._journal)
        traded, changed = past.trades, len(past.changes)
        run = run_plan(plan, self._supervisor)
        self.runs.append(run)
        past.read(self._journal)
        told = run.report.told
        return Crowd(
            run,
            {name: values_ms(values) for name, values in latencies(run.report, past).items()},
            missing(told["trade"], sockets, traded + 1, past.trades)
            + missing(told["depth@100ms"], sockets, changed + 1, len(past.changes)),
        )


def run() -> Iterator[dict[str, Any]]:
    seconds = float(os.environ.get("SECONDS", "20"))
    most = min(int(os.environ.get("MOST", "8000")), raise_open_files() - FILES_BESIDE)
    with running_exchange() as exchange:
        plan = Plan(
            url=exchange.url,
            users=rich_users(exchange),
            rate=2 * TRADES_A_SECOND,
            seconds=seconds,
            connections=2,
            under_way=100,
            streams=list(STREAMS),
        )
        with redis.Redis.from_url(exchange.engine_redis_url) as journal:
            hall = Hall(plan, exchange.supervisor, journal)
            nobody = hall.gather(0, seconds / 4)
            crowds = [hall.gather(STEP, seconds)]
            yield from _figures(crowds[0], nobody)
            while crowds[-1].holds and crowds[-1].sockets + STEP <= most:
                crowds.append(hall.gather(crowds[-1].sockets + STEP, seconds / 2))
            while not any(crowd.holds for crowd in crowds) and crowds[-1].sockets >= 2 * LEAST:
                crowds.append(hall.gather(crowds[-1].sockets // 2, seconds / 2))
            yield _search(crowds)
        check(exchange, hall.runs)


def _figures(crowd: Crowd, nobody: Crowd) -> Iterator[dict[str, Any]]:
    for stream, what in STREAMS.items():
        yield {
            "bench": "streams",
            "value": crowd.events_ms[stream]["p99"],
            "unit": "ms",
            "what": f"p99 of {what}, at {crowd.sockets} sockets",
            "event_ms": crowd.events_ms[stream],
            "received_a_second": round(_received(crowd) / crowd.run.report.seconds),
            "missing": crowd.missing,
            "cpu_us_a_message": _cpu_us_a_message(crowd),
            **figures(crowd.run),
        }
    connected, before = crowd.run.connected_mb["web"], nobody.run.pss_mb["web"]
    yield {
        "bench": "streams",
        "value": _kb_a_socket(connected - before, crowd.sockets),
        "unit": "kB",
        "what": "that the web process grew by a socket",
        "under_load": _kb_a_socket(crowd.run.pss_mb["web"] - before, crowd.sockets),
        "before_mb": round(before, 1),
        "connected_mb": round(connected, 1),
    }


def _search(crowds: list[Crowd]) -> dict[str, Any]:
    return {
        "bench": "streams",
        "value": max((crowd.sockets for crowd in crowds if crowd.holds), default=0),
        "unit": "sockets",
        "what": f"that one web process holds, each event's p99 within {P99_MS:g} ms",
        "tried": [crowd.sockets for crowd in crowds],
        "p99_ms": [crowd.p99_ms for crowd in crowds],
        "missing": [crowd.missing for crowd in crowds],
        "closed": [crowd.run.report.closed for crowd in crowds],
        "web_cores": [round(crowd.run.cores["web"], 3) for crowd in crowds],
        "generator_cores": [round(crowd.run.cores["generator"], 3) for crowd in crowds],
    }


def _kb_a_socket(grown_mb: float, sockets: int) -> float:
    return round(grown_mb * 1_000 / sockets, 1)


def _received(crowd: Crowd) -> int:
    return sum(crowd.run.report.received(stream) for stream in STREAMS)


def _cpu_us_a_message(crowd: Crowd) -> dict[str, float]:
    """Of the two sides of the sockets."""
    seconds, received = crowd.run.report.seconds, max(_received(crowd), 1)
    cores = crowd.run.cores
    return {name: round(cores[name] * seconds / received * 1e6, 1) for name in ("web", "generator")}
