"""A client's book through failures: it follows the demo's market by the rules of the streams.

Meanwhile the engine, the publisher and the pub/sub connections are killed in turn, for `MINUTES`
(10) of the environment. The client takes a snapshot, applies each event that follows, and compares
its book with `GET /depth` wherever both have the same number.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import redis

from bench.exchanges import running_exchange
from exchange_site.servers.addresses import valkey_socket
from exchange_site.tests.running import RunningExchange
from realtime.tests.sockets import BookFollower, EventsMissing, eventually

SYMBOL = "BTCUSDT"
STREAM = "depth@100ms"
EVENTS_BETWEEN_KILLS = 10
SECONDS_BETWEEN_KILLS = 6.0


class Watch:
    """A follower that is started again where a promise was broken, which it counts."""

    def __init__(self, url: str) -> None:
        self.book = BookFollower(url, SYMBOL, STREAM, compare_every=3)
        self.gaps = 0
        self.mismatches: list[str] = []
        self._seen_at = time.monotonic()
        self._longest_silence_s = 0.0
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._measure())
            while True:
                try:
                    await self.book.follow()
                except EventsMissing:
                    self.gaps += 1
                except AssertionError as error:
                    self.mismatches.append(str(error)[:200])

    async def _measure(self) -> None:
        """How old the book becomes."""
        while True:
            await self.events(1)
            now = time.monotonic()
            self._longest_silence_s = max(self._longest_silence_s, now - self._seen_at)
            self._seen_at = now

    def longest_silence_s(self) -> float:
        """Between two events, since this was asked last."""
        longest, self._longest_silence_s = self._longest_silence_s, 0.0
        return longest

    async def events(self, count: int) -> None:
        """Wait for so many more."""
        wanted = self.book.events + count

        async def seen() -> bool:
            return self.book.events >= wanted

        await eventually(seen, f"{count} more events")

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.book.http.aclose()


def killers(exchange: RunningExchange) -> dict[str, Callable[[], object]]:
    shared = redis.Redis(unix_socket_path=valkey_socket(exchange.home))

    def kill(part: str) -> None:
        os.kill(exchange.process_of(part), signal.SIGKILL)

    return {
        "engine": lambda: kill("run_engine"),
        "publisher": lambda: kill("run_publisher"),
        "pubsub": lambda: shared.client_kill_filter(_type="pubsub"),
    }


async def follow(exchange: RunningExchange, seconds: float) -> dict[str, Any]:
    watch = Watch(exchange.url)
    kills: Counter[str] = Counter()
    silence_s: dict[str, float] = {}
    kinds = killers(exchange)
    try:
        await watch.events(EVENTS_BETWEEN_KILLS)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for kind, kill in kinds.items():
                watch.longest_silence_s()
                next_kill = time.monotonic() + SECONDS_BETWEEN_KILLS
                kill()
                kills[kind] += 1
                await watch.events(EVENTS_BETWEEN_KILLS)
                await asyncio.sleep(max(0.0, next_kill - time.monotonic()))
                silence_s[kind] = max(silence_s.get(kind, 0.0), watch.longest_silence_s())
        await watch.book.agree()
    finally:
        await watch.close()
    return {
        "comparisons": watch.book.compared,
        "mismatches": len(watch.mismatches),
        "broken_promises": watch.mismatches,
        "gaps": watch.gaps,
        "events": watch.book.events,
        "kills": dict(kills),
        "snapshots_taken": watch.book.resyncs,
        "close_codes": dict(Counter(watch.book.codes)),
        "longest_silence_s": {kind: round(longest, 2) for kind, longest in silence_s.items()},
    }


def run() -> Iterator[dict[str, Any]]:
    minutes = float(os.environ.get("MINUTES", "10"))
    with running_exchange(demo=True) as exchange:
        result = asyncio.run(follow(exchange, minutes * 60))
        assets = exchange.state()["assets"]
    assert all(Decimal(asset["sum"]) == 0 for asset in assets.values())
    yield {
        "bench": "follow",
        "value": result["comparisons"],
        "unit": "comparisons",
        "what": f"of a client's book with the snapshot of its number, {minutes:g} min of kills",
        **result,
    }
