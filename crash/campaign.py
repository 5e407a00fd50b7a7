"""Kill parts under load, then compare."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import redis

from crash.audit import Findings, audit
from crash.load import MARKET
from crash.record import Meter, Record, RecordReader
from crash.rest_trader import RestTrader
from engine.connections import connect
from exchange_site.supervisor.parts import PROJECT
from exchange_site.tests.processes import stopped, wait_until
from exchange_site.tests.running import RunningExchange
from realtime.tests.sockets import BookFollower

PATIENCE_S = 180.0
REST_TRADERS = 2
ACKNOWLEDGED_BETWEEN_KILLS_S = 0.5
"""As many orders as come in this time at the full rate."""
LEAST_SHARE = 0.1
"""Of the rate, while the database is away: a busy machine takes less than it is sent."""

PARTS = {
    "engine": "run_engine",
    "publisher": "run_publisher",
    "projector": "projector@%h",
    "engine-redis": "",
}
"""What is killed, by a word of its command line."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    kills: dict[str, int]
    seconds: float
    up_seconds: float
    rate: float
    """Acknowledged orders a second, without the time of outages."""
    database_away: dict[str, float]
    books_equal: bool
    books_compared: int
    findings: Findings

    @property
    def clean(self) -> bool:
        return self.findings.clean and self.books_equal

    def describe(self) -> dict[str, Any]:
        findings = asdict(self.findings)
        return {
            "kills": sum(self.kills.values()),
            **findings,
            "books_equal": self.books_equal,
            "books_compared": self.books_compared,
            "killed": self.kills,
            "seconds": round(self.seconds),
            "acknowledged_per_second": round(self.findings.acknowledged / self.seconds),
            "up_seconds": round(self.up_seconds),
            "acknowledged_per_second_up": round(self.rate),
            "database_away": self.database_away,
        }


class Campaign:
    """`rate`: orders a second that the load sends, while the exchange can take them."""

    def __init__(self, exchange: RunningExchange, *, rate: int, seed: int, say: Say) -> None:
        self._exchange = exchange
        self._rate = rate
        self._chance = random.Random(seed)
        self._say = say
        self._record = Record()
        self._path = exchange.home.path / "record"
        self._path.touch()
        self._reader = RecordReader(self._path, self._record)
        self._killed: Counter[str] = Counter()
        self._meter = Meter()
        self._database_away: dict[str, float] = {}

    async def run(self, kills: int, *, database_away_s: float = 0.0) -> Result:
        followers = [BookFollower(self._exchange.url, MARKET, s) for s in ("depth@100ms", "depth")]
        following = asyncio.gather(*(follower.follow() for follower in followers))
        started = time.monotonic()
        try:
            async with self._trading():
                await asyncio.to_thread(self._kill_often, kills)
                if database_away_s:
                    await asyncio.to_thread(self._stop_database, database_away_s)
            seconds = time.monotonic() - started
            self._say("the books are compared")
            for follower in followers:
                await follower.agree()
            books_equal = not following.done()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            for follower in followers:
                await follower.http.aclose()
        self._say("the projector catches up, and the journal and the tables are compared")
        findings = await asyncio.to_thread(audit, self._exchange, self._record)
        compared = sum(follower.compared for follower in followers)
        return Result(
            kills=dict(self._killed),
            seconds=seconds,
            up_seconds=self._meter.up_s,
            rate=self._meter.rate,
            database_away=self._database_away,
            books_equal=books_equal,
            books_compared=compared,
            findings=findings,
        )

    @asynccontextmanager
    async def _trading(self) -> AsyncIterator[None]:
        """The load, and some who come through the front door."""
        traders = [RestTrader(self._exchange, n, self._record) for n in range(REST_TRADERS)]
        arguments = (self._exchange.engine_redis_url, str(self._path), str(self._rate))
        load = subprocess.Popen(
            [sys.executable, "-m", "crash.load", *arguments],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert load.stdout is not None
        for trader in traders:
            trader.start()
        try:
            assert await asyncio.to_thread(load.stdout.readline) == "funded\n", "the load begins"
            yield
            assert load.poll() is None, "the load goes on"
        finally:
            load.terminate()
            for trader in traders:
                trader.stop.set()
            await asyncio.to_thread(load.wait, PATIENCE_S)
            load.stdout.close()
            for trader in traders:
                await asyncio.to_thread(trader.join, PATIENCE_S)
        self._reader.read()
        self._reader.close()
        for trader in traders:
            assert trader.unexpected is None, trader.unexpected

    def _kill_often(self, kills: int) -> None:
        names = [name for _ in range(kills) for name in PARTS][:kills]
        self._chance.shuffle(names)
        for number, name in enumerate(names, start=1):
            self._await_orders(f"orders are acknowledged after {number - 1} kills")
            self._watch(self._chance.random())
            wait_until(lambda name=name: self._kill(name), f"{name} runs", timeout_s=PATIENCE_S)  # type: ignore[misc]
            self._say(
                f"kill {number} of {kills}: {name}; {self._acknowledged():,} acknowledged,"
                f" {self._meter.rate:,.0f} a second while it was up"
            )
        self._await_orders("orders are acknowledged after the last kill")

    def _kill(self, name: str) -> bool:
        """Whether it ran."""
        word = PARTS[name]
        process = self._exchange.find_process(word) if word else self._engine_redis()
        if process is None:
            return False
        os.kill(process, signal.SIGKILL)
        self._killed[name] += 1
        return True

    def _engine_redis(self) -> int | None:
        """By its own account, for it rewrites its command line; None while it is away."""
        try:
            with connect(self._exchange.engine_redis_url) as connection:
                return int(connection.info("server")["process_id"])
        except redis.RedisError:
            return None

    def _stop_database(self, seconds: float) -> None:
        """It hangs; trading goes on, and `/health` says which part is ill."""
        self._say(f"the database hangs for {seconds:g} s")
        with stopped(self._exchange.database_processes()):
            before = self._acknowledged()
            self._watch(seconds)
            health = httpx.get(f"{self._exchange.url}/health", timeout=10).json()
            assert health["engine"]["ok"], health
            assert not health["database"]["ok"], health
            meanwhile = self._acknowledged() - before
            assert meanwhile > self._rate * seconds * LEAST_SHARE, "matching went on"
        self._database_away = {"seconds": seconds, "acknowledged": meanwhile}
        self._await_orders("orders are acknowledged with the database back")

    def _watch(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            self._acknowledged()

    def _acknowledged(self) -> int:
        self._reader.read()
        count = len(self._record.acknowledged)
        self._meter.note(count)
        return count

    def _await_orders(self, what: str) -> None:
        goal = self._acknowledged() + int(self._rate * ACKNOWLEDGED_BETWEEN_KILLS_S)
        wait_until(lambda: self._acknowledged() >= goal, what, timeout_s=PATIENCE_S)
