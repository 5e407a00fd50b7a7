"""The machine loses power: the append-only file ends anywhere, and the journal at a whole entry.

What waited is lost with the memory, unless it waited when the file was written anew.
"""

import random
import shutil
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from engine.connections import connect
from engine.core.commands import Command, Deposit
from engine.core.replies import Done
from engine.journal import read_all_after, tail_sequence
from engine.tests.envelopes import opened
from engine.wire import QUEUE_KEY
from engine.worker.tests.bench import SETUP, Bench
from exchange_site.servers.home import ExchangeHome
from exchange_site.servers.valkey import engine_valkey
from exchange_site.tests.processes import running_server, wait_until

ENTRIES = 40
CUTS = 25


@contextmanager
def running_valkey(home: ExchangeHome) -> Iterator["redis.Redis"]:
    """The engine's own server, with the settings it really has; killed at the end of the block."""
    server = engine_valkey(home)
    with running_server(home, server) as process:
        connection = connect(f"unix://{server.socket}")
        yield connection
        connection.close()
        process.kill()
        process.wait()


def is_written_anew(connection: "redis.Redis") -> bool:
    server = connection.info("persistence")
    return not (server["aof_rewrite_in_progress"] or server["aof_rewrite_scheduled"])


def append_only_file(home: ExchangeHome) -> Path:
    [path] = (engine_valkey(home).folder / "appendonlydir").glob("*.incr.aof")
    return path


class Written:
    """What a worker wrote before the power went: all pushes in order, and where entries end."""

    def __init__(self, home: ExchangeHome, *, anew: bool) -> None:
        """`anew`: the file was written anew in the middle, while commands waited."""
        self.home = home
        self.commands: list[Command] = []
        self.ends: list[int] = []
        """Bytes of the file after each entry: an entry is durable in a file at least as long."""
        self.kept = 0
        """Pushes that stand in the file, journalled or not."""
        chance = random.Random(3)
        with running_valkey(home) as connection:
            bench = Bench(connection)
            self._push(bench, *SETUP)
            self._commit(bench)
            for number in range(ENTRIES - 1):
                self._push(bench, *self._deposits(chance.randint(1, 6)))
                if anew and number == ENTRIES // 2:
                    self._write_anew(connection)
                    self._push(bench, *self._deposits(2))
                self._commit(bench)
            self._push(bench, *self._deposits(5))

    def _deposits(self, count: int) -> list[Deposit]:
        start = len(self.commands)
        return [Deposit(1, "USD", 1, f"d{number}") for number in range(start, start + count)]

    def _push(self, bench: Bench, *commands: Command) -> None:
        bench.push(*commands)
        self.commands += commands

    def _commit(self, bench: Bench) -> None:
        bench.work()
        self.ends.append(append_only_file(self.home).stat().st_size)

    def _write_anew(self, connection: "redis.Redis") -> None:
        connection.bgrewriteaof()
        wait_until(lambda: is_written_anew(connection), "the file is written anew")
        self.kept = len(self.commands)
        self.ends = [0] * len(self.ends)  # they stand in the part that is never cut

    def cut_at(self, home: ExchangeHome, size: int) -> None:
        """The same server in another home, with only the first `size` bytes of its file."""
        shutil.copytree(engine_valkey(self.home).folder, engine_valkey(home).folder)
        with append_only_file(home).open("r+b") as file:
            file.truncate(size)


@pytest.fixture(params=["as it grew", "written anew"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Written]:
    home = ExchangeHome(tmp_path / "home")
    home.create()
    yield Written(home, anew=request.param == "written anew")
    home.remove_sockets()


def cuts(written: Written) -> list[int]:
    """Anywhere, and right beside where entries end, where it is most likely to go wrong."""
    chance = random.Random(4)
    size = append_only_file(written.home).stat().st_size
    ends = [end for end in written.ends if end]
    beside = [end + chance.choice((-1, 0, 1)) for end in chance.sample(ends, CUTS // 3)]
    return [*beside, *(chance.randrange(size) for _ in range(CUTS - len(beside)))]


def test_the_journal_ends_at_a_whole_entry(written: Written, tmp_path: Path) -> None:
    for number, size in enumerate(cuts(written)):
        home = ExchangeHome(tmp_path / str(number))
        home.create()
        written.cut_at(home, size)
        with running_valkey(home) as connection:
            check(written, connection, durable=bisect_right(written.ends, size))
        home.remove_sockets()
        shutil.rmtree(home.path)


def check(written: Written, connection: "redis.Redis", *, durable: int) -> None:
    assert tail_sequence(connection) == durable, "each durable entry, and no other"
    journalled = commands_in(connection)
    waiting = [opened(raw)[1] for raw in connection.lrange(QUEUE_KEY, 0, -1)]
    found = [*journalled, *waiting]
    assert found == written.commands[: len(found)], "each command once: in the journal or waiting"
    assert len(found) == max(written.kept, len(journalled)), "what waited in memory is gone"
    bench = Bench(connection)
    assert bench.worker._replica.sequence == durable, "all of it replays"
    bench.work()
    assert commands_in(connection) == found
    after: list[Command] = [] if found[:3] == SETUP else list(SETUP)
    assert bench.do(*after, Deposit(1, "USD", 1, "after"))[-1] == Done()


def commands_in(connection: "redis.Redis") -> list[Command]:
    return [command for e in read_all_after(connection, 0) for command in e.decode_commands()]
