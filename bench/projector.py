"""The projector: journal -> PostgreSQL, orders a second with their trades, ledger rows, archive.

On scratch servers of its own. The journal is a real one: orders that the engine matched.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from typing import Any

from bench.core import random_order, setup_commands
from bench.servers import call, scratch_servers

ORDERS = 50_000


def run() -> Iterator[dict[str, Any]]:
    with scratch_servers() as environment:
        yield json.loads(call(["-m", __name__], environment))


def measure() -> dict[str, Any]:
    """In a process whose settings name the scratch servers."""
    from django.conf import settings

    from engine.connections import connect
    from engine.projector.loop import project_entries, read_batch
    from markets.models import Trade

    with connect(settings.ENGINE_REDIS_URL) as connection:
        write_journal(settings.ENGINE_REDIS_URL)
        started, position, batches = time.perf_counter(), 0, 0
        while entries := read_batch(connection, position):
            position = project_entries(entries)
            batches += 1
        seconds = time.perf_counter() - started
    return {
        "bench": "projector",
        "value": round(ORDERS / seconds),
        "unit": "orders/s",
        "orders": ORDERS,
        "trades": Trade.objects.count(),
        "entries": position,
        "transactions": batches,
        "seconds": round(seconds, 2),
    }


def write_journal(url: str) -> None:
    """What the engine does with `ORDERS` random orders."""
    from engine.connections import connect
    from engine.wire import QUEUE_KEY, encode_envelope
    from engine.worker.clock import SteadyClock
    from engine.worker.redis_store import RedisStore
    from engine.worker.worker import Worker

    worker = Worker(RedisStore(connect(url)), SteadyClock())
    assert worker.lead()
    worker.recover()
    chance = random.Random(1)
    orders = [random_order(chance, 5_000_000, ioc=chance.random() < 0.15) for _ in range(ORDERS)]
    connection = connect(url)
    commands = [*setup_commands(), *orders]
    for start in range(0, len(commands), 1_000):
        chunk = commands[start : start + 1_000]
        connection.rpush(QUEUE_KEY, *(encode_envelope("bench", 0, command) for command in chunk))
        waiting = worker.step([])
        while waiting:
            waiting = worker.step(waiting)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    import django

    django.setup()
    print(json.dumps(measure()))
