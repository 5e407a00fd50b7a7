"""How the figures grow: with symbols, accounts and open orders in the engine, with sockets in the
web process, and with web processes. `ALONG=symbols` measures one of them only.

In the engine it is the worker on a Redis of its own (`bench/steps.py`), in a fresh process for each
size; all commands wait already. Over sockets orders come in lists of 20 at half of the rate that
was possible from ten of them, so that the load is the same for all sizes. Web processes are given
as many orders as they take, one by one, for then they have most of the work.
"""

import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from bench import core, scale
from bench.exchanges import rich_users, running_exchange
from bench.load.checks import check
from bench.load.limits import raise_open_files
from bench.load.plan import Plan
from bench.load.running import figures, rate_of
from bench.load.running import run as run_plan
from bench.servers import addresses, call, scratch_servers
from bench.steps import Steps, measure, prepared
from engine.compiled import build_folder
from engine.connections import connect
from engine.core.commands import Command

MESSAGES: Final = 100_000
SMALL_BOOK: Final = 10_000

SYMBOLS: Final = (1, 10, 100, 500)
ACCOUNTS: Final = (10, 1_000, 100_000)
OPEN_ORDERS: Final = (0, 10_000, 1_000_000)
SOCKETS: Final = (10, 100, 1_000)
WEB_PROCESSES: Final = (1, 2, 3)

LIST: Final = 20
SECONDS: Final = 8.0
WARM_UP_S: Final = 2.0

Scene = tuple[Iterator[Command], list[Command]]
"""What was before, and what is measured."""


def with_symbols(symbols: int) -> Scene:
    return _scattered(symbols, accounts=10_000)


def with_accounts(accounts: int) -> Scene:
    return _scattered(1, accounts)


def _scattered(symbols: int, accounts: int) -> Scene:
    """Orders of any account; 85 % of them stand if they do not trade."""
    chance = random.Random(1)
    orders: list[Command] = [scale.random_order(chance, symbols, accounts) for _ in range(MESSAGES)]
    return scale.setup_commands(symbols, accounts), orders


def with_open_orders(resting: int) -> Scene:
    """The mix of `BENCH=core`, which keeps the book's size. Large books are as deep as wide."""
    spread = core.SPREAD_CENTS * (100 if resting > SMALL_BOOK else 1)
    mix = core.Mix(1, resting, spread)
    messages = [mix.message() for _ in range(MESSAGES)]
    return iter([*core.setup_commands(), *mix.filling]), messages


ENGINE: Final[dict[str, tuple[Callable[[int], Scene], tuple[int, ...]]]] = {
    "symbols": (with_symbols, SYMBOLS),
    "accounts": (with_accounts, ACCOUNTS),
    "open orders": (with_open_orders, OPEN_ORDERS),
}


def run() -> Iterator[dict[str, Any]]:
    chosen = os.environ.get("ALONG")
    for along, (_, sizes) in ENGINE.items():
        if chosen in (None, along):
            for size in sizes:
                yield _told(along, size, _steps(along, size))
    if chosen in (None, "sockets"):
        yield from _over_sockets()
    if chosen in (None, "web processes"):
        for size in WEB_PROCESSES:
            yield _with_web_processes(size)


def _steps(along: str, size: int) -> Steps:
    with scratch_servers() as environment:
        url = addresses(environment).engine_redis_url
        argv = ["-m", __name__, along, str(size), url]
        return Steps(**json.loads(call(argv, environment | {"EXCHANGE_COMPILED_CORE": "1"})))


def _told(along: str, size: int, steps: Steps) -> dict[str, Any]:
    return {
        "bench": "growth",
        "value": round(steps.rate),
        "unit": "messages/s",
        "what": f"of the engine with {size:,} {along}",
        "along": along,
        "size": size,
        "us_an_order": {
            "worker": round(sum(steps.worker_us.values()), 2),
            "of it matching": steps.worker_us["match"],
        },
        "beside": {"memory, MB": steps.memory_mb},
        "worker_us": steps.worker_us,
        "compiled_core": build_folder().exists(),
    }


def _over_sockets() -> Iterator[dict[str, Any]]:
    raise_open_files()
    with running_exchange() as exchange:
        users = rich_users(exchange)
        runs = []
        for size, seconds in ((SOCKETS[0], WARM_UP_S), (SOCKETS[0], SECONDS)):
            plan = Plan(
                url=exchange.url, users=users, seconds=seconds, connections=size, together=LIST
            )
            runs.append(run_plan(plan, exchange.supervisor))
        rate = rate_of(runs[-1]) / 2
        for size in SOCKETS:
            plan = Plan(
                url=exchange.url,
                users=users,
                seconds=SECONDS,
                rate=rate,
                connections=size,
                under_way=100,
                together=LIST,
            )
            runs.append(run_plan(plan, exchange.supervisor))
            said = figures(runs[-1])
            yield {
                "bench": "growth",
                "value": said["answered_a_second"],
                "unit": "orders/s",
                "what": f"in lists of {LIST} over {size:,} sockets, half of what was possible",
                "along": "sockets",
                "size": size,
                "us_an_order": {
                    part: said["cpu_us_an_order"][part] for part in ("web", "engine", "publisher")
                },
                "beside": {
                    "p99, ms": said["answer_ms"]["p99"],
                    "memory of web, MB": said["pss_mb_a_part"]["web"],
                },
                **said,
            }
        check(exchange, runs)


def _with_web_processes(size: int) -> dict[str, Any]:
    with running_exchange(variables={"WEB_PROCESSES": str(size)}) as exchange:
        users = rich_users(exchange)
        runs = []
        for seconds in (WARM_UP_S, SECONDS):
            plan = Plan(
                url=exchange.url,
                ports=size,
                users=users,
                seconds=seconds,
                connections=12,
                under_way=8,
            )
            runs.append(run_plan(plan, exchange.supervisor))
        check(exchange, runs)
    said = figures(runs[-1])
    return {
        "bench": "growth",
        "value": said["answered_a_second"],
        "unit": "orders/s",
        "what": f"one by one over sockets of {size} web processes, as fast as it goes",
        "along": "web processes",
        "size": size,
        "us_an_order": {
            part: said["cpu_us_an_order"][part] for part in ("web", "engine", "publisher")
        },
        "beside": {
            "p99, ms": said["answer_ms"]["p99"],
            "memory of web, MB": said["pss_mb_a_part"]["web"],
        },
        **said,
    }


if __name__ == "__main__":
    along, size, url = sys.argv[1:]
    before, commands = ENGINE[along][0](int(size))
    print(json.dumps(measure(connect(url), prepared(before), commands)._asdict()))
