"""From an order to its answer and to its subscribers, at a steady rate below what is possible.

Orders come in an open loop, and ten sockets watch the market. An answer counts from the intended
sending of its order; a trade and a book ticker from the engine's acceptance of the order that
brought them (its `transactTime`); depth from the end of its interval. `bench/load/origins.py` says
how. `RATE=2000 SECONDS=20 LIST=1` set the pace.
"""

import os
from collections.abc import Iterator
from typing import Any, Final

import redis
from hdrh.histogram import HdrHistogram

from bench.exchanges import rich_users, running_exchange
from bench.load.checks import check, check_followers
from bench.load.origins import MarketPast, latencies
from bench.load.plan import Plan
from bench.load.running import figures, percentiles_ms, values_ms
from bench.load.running import run as run_plan

CONNECTIONS: Final = 4
UNBOUNDED: Final = 100
FOLLOWERS: Final = 10
STREAMS: Final = {
    "trade": "from an order's acceptance to its trade at a subscriber",
    "bookTicker": "from an order's acceptance to its book ticker at a subscriber",
    "depth@100ms": "from the end of its interval to the depth at a subscriber",
}


def run() -> Iterator[dict[str, Any]]:
    with running_exchange() as exchange:
        plan = Plan(
            url=exchange.url,
            users=rich_users(exchange),
            rate=float(os.environ.get("RATE", "2000")),
            seconds=float(os.environ.get("SECONDS", "20")),
            connections=CONNECTIONS,
            under_way=UNBOUNDED,
            together=int(os.environ.get("LIST", "1")),
            followers=FOLLOWERS,
            streams=list(STREAMS),
        )
        done = run_plan(plan, exchange.supervisor)
        past = MarketPast(plan.market)
        with redis.Redis.from_url(exchange.engine_redis_url) as journal:
            past.read(journal)
        check(exchange, [done])
    check_followers(done, past)
    yield {
        "bench": "latency",
        "value": percentiles_ms(done.report.latencies)["p99"],
        "unit": "ms",
        "what": "p99 from an order's intended sending to its answer",
        **figures(done),
    }
    for stream, values in latencies(done.report, past).items():
        yield _stream(stream, values)


def _stream(stream: str, values: HdrHistogram) -> dict[str, Any]:
    found = values_ms(values)
    return {
        "bench": "latency",
        "value": found["p99"],
        "unit": "ms",
        "what": f"p99 {STREAMS[stream]}",
        "received": values.get_total_count(),
        "event_ms": found,
    }
