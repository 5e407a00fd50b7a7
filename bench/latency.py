"""From an order to its answer and to its subscribers, at a steady rate below what is possible.

The generator is an open loop (see `bench/load`): orders of two users meet at one price, and ten
sockets watch the market. Latencies of events count from the event's own time; the books and the
balances are checked afterwards. `RATE=2000 SECONDS=20 LIST=1` set the pace.
"""

import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from bench.exchanges import running_exchange
from bench.load.plan import Plan, User
from bench.load.running import figures, percentiles_ms
from bench.load.running import run as run_plan

STREAMS: Final = ["trade", "bookTicker", "depth@100ms"]
TIMELESS: Final = {"bookTicker"}
"""Their events do not say when they happened: they are only counted."""


def run() -> Iterator[dict[str, Any]]:
    rate = float(os.environ.get("RATE", "2000"))
    seconds = float(os.environ.get("SECONDS", "20"))
    together = int(os.environ.get("LIST", "1"))
    with running_exchange() as exchange:
        funds = {"BTC": "100000", "ETH": "100000"}
        credentials = [exchange.create_user(f"bench{n}", fund=funds) for n in range(2)]
        plan = Plan(
            url=exchange.url.replace("http", "ws", 1),
            users=[User(each["api_key"], each["secret_key"]) for each in credentials],
            market="ETHBTC",
            price="0.05",
            quantity="0.01",
            rate=rate,
            seconds=seconds,
            sessions=4,
            together=together,
            followers=10,
            streams=STREAMS,
        )
        done = run_plan(plan, exchange.supervisor)
        state = exchange.state()
    assert all(Decimal(asset["sum"]) == 0 for asset in state["assets"].values())
    yield {
        "bench": "latency",
        "value": percentiles_ms(done.report.latencies)["p99"],
        "unit": "ms",
        "what": "p99 from an order's intended sending to its answer",
        "asked_a_second": rate,
        "answered_a_second": round(done.report.answered / done.report.seconds),
        "refused": done.report.refused,
        "together": together,
        "events_ms": {
            name: percentiles_ms(text)
            for name, text in done.report.events.items()
            if name not in TIMELESS
        },
        "received": done.report.received,
        **figures(done),
    }
