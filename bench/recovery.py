"""Recovery: a million journalled commands replayed, a snapshot of a million open orders saved and
loaded, and the engine's throughput while a nice follower replays everything beside it.

On scratch servers. The first two are measured in a process of their own, on one core. It takes some
minutes and 3 GB of memory, so it runs by its name only: `make bench BENCH=recovery`.
"""

import json
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.core import ACCOUNTS, FAR_FUTURE, UNIT, random_order, setup_commands
from bench.engine import Replies
from bench.engine import measure as measure_engine
from bench.servers import addresses, call, running, scratch_servers
from engine.compiled import build_folder
from engine.core.commands import OrderTerms, PlaceOrder
from engine.core.types import OrderType, Side, TimeInForce

COMMANDS = 1_000_000
OPEN_ORDERS = 1_000_000
ROUNDS = 3
COMPILED = {"EXCHANGE_COMPILED_CORE": "1"}


def run() -> Iterator[dict[str, Any]]:
    with scratch_servers() as environment:
        call(["-m", __name__, "write"], environment | COMPILED)
        yield json.loads(call(["-m", __name__, "replay"], environment | COMPILED))
        yield json.loads(call(["-m", __name__, "snapshot"], environment | COMPILED))
    yield throughput_with_follower()


def write_journal() -> None:
    """What the engine does with `COMMANDS` random orders."""
    from django.conf import settings

    from engine.connections import connect
    from engine.intake import push_command
    from engine.wire import encode_envelope
    from engine.worker.clock import SteadyClock
    from engine.worker.redis_store import RedisStore
    from engine.worker.worker import Worker

    connection = connect(settings.ENGINE_REDIS_URL)
    worker = Worker(RedisStore(connection), SteadyClock())
    assert worker.lead()
    worker.recover()
    chance = random.Random(1)
    setup = setup_commands()
    commands = iter([*setup, *(_cancelled_or_not(chance, n) for n in range(COMMANDS - len(setup)))])
    while chunk := [command for _, command in zip(range(1_000), commands, strict=False)]:
        envelopes = (encode_envelope("bench", 0, command) for command in chunk)
        connection.execute_command(*push_command(chunk, envelopes))
        waiting = worker.step([])
        while waiting:
            waiting = worker.step(waiting)


def _cancelled_or_not(chance: random.Random, number: int) -> Any:
    """Half are orders; the others cancel one of them, so that the book keeps its size."""
    from engine.core.commands import CancelOrder

    if number % 2 == 0 or number < 20_000:
        return random_order(chance, 5_000_000, ioc=chance.random() < 0.15)
    return CancelOrder(chance.choice(ACCOUNTS), "BTCUSDT", order_id=number // 2)


def replay() -> dict[str, Any]:
    from django.conf import settings

    from engine.connections import connect
    from engine.snapshots.codec import without_collections
    from engine.snapshots.records import DatabaseRecords
    from engine.worker.loader import load_replica
    from engine.worker.redis_store import RedisStream

    stream = RedisStream(connect(settings.ENGINE_REDIS_URL))
    started, worked = time.perf_counter(), time.process_time()
    with without_collections():  # as `run_engine` does
        replica = load_replica(stream, DatabaseRecords(connect(settings.REDIS_URL)))
        replica.follow(stream.read_after(replica.sequence))
    seconds = time.perf_counter() - started
    return {
        "bench": "recovery",
        "value": round(seconds, 2),
        "unit": "s",
        "processor_s": round(time.process_time() - worked, 2),
        "commands": replica.commands,
        "entries": replica.sequence,
        "compiled_core": build_folder().exists(),
    }


def snapshot() -> dict[str, Any]:
    from engine.core.engine import Engine
    from engine.publisher.record import Trading, record_feeds
    from engine.snapshots.codec import OpenSnapshot, pack_snapshot, without_collections
    from engine.snapshots.store import list_snapshots, load_packed, store_snapshot
    from engine.worker.recovery import Replica

    def fill(engine: Engine) -> None:
        chance = random.Random(1)
        engine.advance(1)
        for command in setup_commands():
            engine.apply(command)
        for _ in range(OPEN_ORDERS):
            engine.apply(_standing_order(chance))

    replica = Replica()
    with without_collections():
        fill(replica.engine)
        replica.stand_at(1, digest="0" * 64, epoch=1, replies={})
        before_mb = _peak_mb()
        started, worked = time.perf_counter(), time.process_time()
        packed = pack_snapshot(replica, record_feeds(replica.engine, Trading(), 1, ""))
        packed_at = time.perf_counter()
        row = store_snapshot(packed, keep=3, keep_days=0)
        saved, saving = time.perf_counter(), time.process_time() - worked
        peak_mb = _peak_mb() - before_mb
        del replica, packed
        reading, worked = time.perf_counter(), time.process_time()
        opened = OpenSnapshot(load_packed(list_snapshots()[0])).replica()
        loaded, loading = time.perf_counter(), time.process_time() - worked
    orders = sum(1 for market in opened.engine.markets for _ in market.book.orders())
    return {
        "bench": "snapshot",
        "value": round(saved - started + loaded - reading, 2),
        "unit": "s",
        "processor_s": round(saving + loading, 2),
        "open_orders": orders,
        "packed_s": round(packed_at - started, 2),
        "stored_s": round(saved - packed_at, 2),
        "loaded_s": round(loaded - reading, 2),
        "stored_bytes": row.size,
        "memory_to_save_mb": peak_mb,
        "compiled_core": build_folder().exists(),
    }


def _standing_order(chance: random.Random) -> PlaceOrder:
    side = chance.choice((Side.BUY, Side.SELL))
    away = int(chance.expovariate(1 / 20_000)) + 1
    cents = 5_000_000 + (away if side is Side.SELL else -min(away, 4_900_000))
    terms = OrderTerms(
        account=chance.choice(ACCOUNTS),
        market="BTCUSDT",
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        price=cents * UNIT // 100,
        quantity=chance.randint(20, 2_000) * 1_000,
    )
    return PlaceOrder(terms, FAR_FUTURE)


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024


def throughput_with_follower() -> dict[str, Any]:
    """In turns on the same servers: alone, then with a follower that replays and takes snapshots
    without a pause."""
    from engine.connections import connect
    from engine.intake import push_command
    from engine.wire import encode_envelope

    alone, followed = [], []
    with scratch_servers() as environment:
        engine = [sys.executable, "manage.py", "run_engine"]
        follower = [sys.executable, "-m", __name__, "follow"]
        often = {"SNAPSHOT_EVERY_COMMANDS": "100000"}
        with running(engine, environment | COMPILED) as process:
            connection = connect(addresses(environment).engine_redis_url, timeout_s=30)
            replies = Replies(connection)
            setup = setup_commands()
            for number, command in enumerate(setup, start=1):
                envelope = encode_envelope("bench", number, command)
                connection.execute_command(*push_command([command], [envelope]))
            replies.wait_for(len(setup))
            for seed in range(ROUNDS):
                alone.append(measure_engine(connection, process, 2 * seed))
                with running(follower, environment | COMPILED | often):
                    followed.append(measure_engine(connection, process, 2 * seed + 1))
    return {
        "bench": "engine with follower",
        "value": round(median(followed) / median(alone), 2),
        "unit": "of the throughput without",
        "rounds": ROUNDS,
        "alone": [round(rate) for rate in alone],
        "followed": [round(rate) for rate in followed],
    }


def follow() -> None:
    from engine.tasks import follow_journal
    from exchange_site.standing_back import stand_back

    os.setsid()  # as the supervisor starts it
    stand_back(15)
    while True:
        follow_journal()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    import django

    django.setup()
    match sys.argv[1]:
        case "write":
            write_journal()
        case "replay":
            print(json.dumps(replay()))
        case "snapshot":
            print(json.dumps(snapshot()))
        case "follow":
            follow()
