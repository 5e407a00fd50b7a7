"""What runs: the list of the parts of an exchange."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from exchange_site.part import Part
from exchange_site.servers.home import ExchangeHome

PROJECT = Path(__file__).resolve().parents[2]

# A list of 100 orders is the longest thing a socket may say.
WEBSOCKET_MESSAGE_BYTES = 256 * 1024


@dataclass(frozen=True)
class ExchangeParts:
    """`setup` runs to its end before the `parts` start, `afterwards` once they run."""

    setup: list[Part]
    parts: list[Part]
    afterwards: list[Part]


def exchange_parts(home: ExchangeHome, environ: Mapping[str, str]) -> ExchangeParts:
    """Everything that `make run` runs beside the servers."""
    port = int(environ.get("PORT") or "8000")
    web_processes = int(environ.get("WEB_PROCESSES") or "1")
    demo = environ.get("DEMO", "1") != "0"
    standby = environ.get("STANDBY", "0") == "1"
    common = {
        "EXCHANGE_HOME": str(home.path),
        "DJANGO_SETTINGS_MODULE": "exchange_site.settings",
        "PYTHONUNBUFFERED": "1",
    }

    def python(name: str, *arguments: str, **environment: str) -> Part:
        return Part(name, (sys.executable, *arguments), {**common, **environment}, cwd=str(PROJECT))

    def manage(name: str, *arguments: str) -> Part:
        return python(name, "manage.py", *arguments)

    def celery(name: str, *arguments: str) -> Part:
        return python(name, "-m", "celery", "-A", "exchange_site", *arguments, "--loglevel", "INFO")

    def worker(name: str, queue: str) -> Part:
        # One process each, without the chatter between workers that nobody listens to.
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        return celery(name, "worker", "-Q", queue, "-P", "solo", "-n", f"{name}@%h", *quiet)

    def compiled(part: Part) -> Part:
        return replace(part, environment={**part.environment, "EXCHANGE_COMPILED_CORE": "1"})

    def nice(part: Part, niceness: int) -> Part:
        return replace(part, niceness=niceness)

    def in_the_way(part: Part) -> Part:
        """Of an order, from its socket to its answer and to those who watch."""
        return replace(part, short_turns=True)

    def engine(name: str) -> Part:
        # Either may lead, and the other one then stands by.
        follow = ("--standby",) if standby else ()
        part = python(name, "manage.py", "run_engine", *follow, ENGINE_INSTANCE=name)
        return in_the_way(compiled(part))

    def web(number: int) -> Part:
        # What is in front of more than one shares the requests out.
        part = python(
            f"web-{number + 1}" if number else "web",
            *("-m", "uvicorn", "exchange_site.asgi:application"),
            *("--host", "127.0.0.1", "--port", str(port + number)),
            *("--loop", "uvloop", "--http", "httptools", "--ws", "websockets-sansio"),
            *("--ws-max-size", str(WEBSOCKET_MESSAGE_BYTES), "--ws-per-message-deflate", "false"),
            *("--ws-ping-interval", "20", "--ws-ping-timeout", "60"),
            *("--lifespan", "off", "--no-access-log", "--no-server-header"),
            *("--timeout-graceful-shutdown", "3"),
            DATABASE_POOL_SIZE=environ.get("DATABASE_POOL_SIZE") or "20",
        )
        return in_the_way(part)

    schedule = str(home.data / "beat-schedule")
    return ExchangeParts(
        setup=[
            manage("migrate", "migrate", "--database", "owner", "--no-input"),
            manage("collectstatic", "collectstatic", "--no-input", "--verbosity", "0"),
        ],
        parts=[
            engine("engine"),
            *([engine("standby")] if standby else []),
            in_the_way(manage("publisher", "run_publisher")),
            *map(web, range(web_processes)),
            # Where processors are scarce, orders are answered first: tables may be behind for a
            # while, and snapshots for longer.
            nice(worker("projector", "projector"), 10),
            nice(compiled(worker("follower", "follower")), 15),
            nice(worker("tasks", "default"), 10),
            celery("beat", "beat", "--schedule", schedule, "--pidfile", ""),
            *([manage("market-maker", "run_market_maker")] if demo else []),
        ],
        afterwards=[
            manage("create_markets", "create_markets"),
            *([manage("create_demo_users", "create_demo_users")] if demo else []),
        ],
    )
