"""A steady load for long: does memory stay flat, does the projector keep up, what does it cost on
disk? `MINUTES=10 RATE=1000`; each minute is told on standard error.

Every second order trades in full and no book grows. Memory is sampled every ten seconds, and its
trend is a straight line through what came after the first fifth of the time. The projector's lag
is how long the oldest entry has waited that it has not written, asked for once a second.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import linear_regression
from typing import Any, Final

import httpx
import redis

from bench.exchanges import rich_users, running_exchange
from bench.load.checks import check
from bench.load.plan import Plan
from bench.load.running import Run, figures, memory_mb, percentiles_ms
from bench.load.running import run as run_plan
from bench.parts import processes_of_parts
from exchange_site.tests.running import RunningExchange

CONNECTIONS: Final = 4
UNBOUNDED: Final = 100
MEMORY_EVERY_S: Final = 10.0
SETTLING: Final = 0.2
"""Share of the time that does not count for the trend: caches and pools fill."""

MB: Final = 1_000_000


class Watch:
    """What is seen of an exchange while the load runs."""

    def __init__(self, exchange: RunningExchange, journal: "redis.Redis") -> None:
        self._exchange = exchange
        self._journal = journal
        self._postgres = exchange.home.data / "postgres"
        self._started = time.monotonic()
        self._told_minutes = 0
        self._disk_before = self._disk_mb()
        self.memory: list[tuple[float, dict[str, float]]] = []
        """Seconds since the start, and MB by part."""
        self.lags_ms: list[int] = []
        self.unanswered = 0
        """How often the projector's lag was not known in time."""

    def look(self) -> None:
        now = time.monotonic() - self._started
        self._ask_projector()
        if not self.memory or now >= self.memory[-1][0] + MEMORY_EVERY_S:
            self.memory.append((now, memory_mb(processes_of_parts(self._exchange.supervisor))))
        if now >= (self._told_minutes + 1) * 60:
            self._told_minutes += 1
            self._tell()

    def _ask_projector(self) -> None:
        try:
            parts = httpx.get(f"{self._exchange.url}/health", timeout=5.0).json()
        except httpx.TransportError:
            self.unanswered += 1
            return
        lag = parts["projector"].get("lag_ms")
        if lag is None:
            self.unanswered += 1
        else:
            self.lags_ms.append(lag)

    def _tell(self) -> None:
        sizes = ", ".join(f"{name} {size:.0f}" for name, size in self.memory[-1][1].items())
        highest = max(self.lags_ms, default=0)
        line = f"minute {self._told_minutes}: lag {highest} ms at most; MB: {sizes}"
        print(line, file=sys.stderr, flush=True)

    def rewrites(self) -> int:
        """Of the engine's append-only file, since its server started."""
        return int(self._journal.info("persistence")["aof_rewrites"])

    def _disk_mb(self) -> dict[str, float]:
        folders = self._exchange.home.data.iterdir()
        sizes = {folder.name: _size_mb(folder) for folder in folders if folder.is_dir()}
        sizes[self._postgres.name] -= self.write_ahead_log_mb()
        return sizes

    def write_ahead_log_mb(self) -> float:
        """PostgreSQL's, which is recycled: it has a size of its own, whatever the orders."""
        return _size_mb(self._postgres / "pg_wal")

    def disk_growth_mb(self) -> dict[str, float]:
        """By server."""
        return {
            name: size - self._disk_before.get(name, 0.0) for name, size in self._disk_mb().items()
        }

    def highest_mb(self) -> dict[str, float]:
        """By part."""
        return {
            name: max(sizes.get(name, 0.0) for _, sizes in self.memory)
            for name in self.memory[-1][1]
        }

    def trends_mb_an_hour(self) -> dict[str, float]:
        """By part."""
        times = [seconds / 3600 for seconds, _ in self.memory]
        first = int(len(times) * SETTLING)
        return {
            name: linear_regression(
                times[first:], [sizes.get(name, 0.0) for _, sizes in self.memory[first:]]
            ).slope
            for name in self.memory[-1][1]
        }


def _size_mb(folder: Path) -> float:
    """Of all files below it; they come and go meanwhile."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size += Path(parent, name).stat().st_size
    return size / MB


def run() -> Iterator[dict[str, Any]]:
    with running_exchange() as exchange:
        plan = Plan(
            url=exchange.url,
            users=rich_users(exchange),
            rate=float(os.environ.get("RATE", "1000")),
            seconds=float(os.environ.get("MINUTES", "10")) * 60,
            connections=CONNECTIONS,
            under_way=UNBOUNDED,
        )
        with redis.Redis.from_url(exchange.engine_redis_url) as journal:
            watch = Watch(exchange, journal)
            done = run_plan(plan, exchange.supervisor, meanwhile=watch.look)
            check(exchange, [done])
            yield from _figures(done, watch)


def _figures(run: Run, watch: Watch) -> Iterator[dict[str, Any]]:
    trends = watch.trends_mb_an_hour()
    yield {
        "bench": "soak",
        "value": round(sum(trends.values()), 1),
        "unit": "MB/h",
        "what": "trend of the memory of all parts",
        "trend_mb_an_hour_a_part": {name: round(slope, 1) for name, slope in trends.items()},
        "pss_mb_a_part_at_first": _rounded(watch.memory[0][1]),
        "highest_pss_mb_a_part": _rounded(watch.highest_mb()),
        "samples": len(watch.memory),
        **figures(run),
    }
    yield {
        "bench": "soak",
        "value": percentiles_ms(run.report.latencies)["p99"],
        "unit": "ms",
        "what": "p99 from an order's intended sending to its answer",
    }
    yield {
        "bench": "soak",
        "value": max(watch.lags_ms),
        "unit": "ms",
        "what": "that the projector was behind, at most",
        "samples": len(watch.lags_ms),
        "unanswered": watch.unanswered,
    }
    growth = watch.disk_growth_mb()
    yield {
        "bench": "soak",
        "value": round(sum(growth.values()) / run.report.answered * 1_000_000),
        "unit": "MB",
        "what": "that a million orders take on disk, besides PostgreSQL's write-ahead log",
        "grown_mb": _rounded(growth),
        "write_ahead_log_mb": round(watch.write_ahead_log_mb(), 1),
        "orders": run.report.answered,
        "rewrites_of_the_engines_file": watch.rewrites(),
    }


def _rounded(sizes: dict[str, float]) -> dict[str, float]:
    return {name: round(size, 1) for name, size in sizes.items()}
