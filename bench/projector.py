"""The projector: journal -> PostgreSQL, orders a second with their trades, ledger rows, archive.

On scratch servers of its own. The journal is a real one: orders that the engine matched. All of it
waits before the projector begins, so that this is also how a backlog is caught up with:
ORDERS=360000 makes one of an hour at 100 orders/s.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.core import random_order, setup_commands
from bench.servers import call, scratch_servers

ORDERS = int(os.environ.get("ORDERS", "50000"))
PATIENCE_S = 3_600.0


def run() -> Iterator[dict[str, Any]]:
    with scratch_servers() as environment:
        yield json.loads(call(["-m", __name__], environment))


def measure() -> dict[str, Any]:
    """In a process whose settings name the scratch servers."""
    from django.conf import settings

    from engine.connections import connect
    from engine.journal import tail_sequence
    from engine.projector.loop import project_journal
    from engine.projector.positions import projected_sequence
    from markets.models import Trade

    with connect(settings.ENGINE_REDIS_URL) as connection:
        write_journal(settings.ENGINE_REDIS_URL)
        tail, started, done = tail_sequence(connection), time.perf_counter(), 0.0
        cpu_before = time.process_time()

        def is_done() -> bool:
            nonlocal done
            if projected_sequence() >= tail:
                done = time.perf_counter()
            return bool(done)

        project_journal(connection, seconds=PATIENCE_S, should_stop=is_done)
        seconds, cpu_s = done - started, time.process_time() - cpu_before
    return {
        "bench": "projector",
        "value": round(ORDERS / seconds),
        "unit": "orders/s",
        "orders": ORDERS,
        "trades": Trade.objects.count(),
        "entries": tail,
        "seconds": round(seconds, 2),
        "cpu_s": round(cpu_s, 2),
        "database_cpu_s": round(backend_cpu_s(), 2),
    }


def backend_cpu_s() -> float:
    """What PostgreSQL's process for this connection has used; a busy machine changes it little."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_journal(url: str) -> None:
    """What the engine does with `ORDERS` random orders."""
    from engine.connections import connect
    from engine.intake import push_command
    from engine.wire import encode_envelope
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
        envelopes = (encode_envelope("bench", 0, command) for command in chunk)
        connection.execute_command(*push_command(chunk, envelopes))
        waiting = worker.step([])
        while waiting:
            waiting = worker.step(waiting)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    import django

    django.setup()
    print(json.dumps(measure()))
