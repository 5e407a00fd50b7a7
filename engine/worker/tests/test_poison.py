"""Exceptions while a command is applied: whatever it is, the exchange goes on without it."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec
import pytest
import redis

from engine.connections import connect
from engine.core import engine as core_engine
from engine.core.accounts import Accounts
from engine.core.commands import (
    CancelOrder,
    Command,
    Deposit,
    OrderTerms,
    PlaceOrder,
    Poison,
)
from engine.core.engine import Engine
from engine.core.events import Event
from engine.core.queries import GetBalances
from engine.core.rejections import Code
from engine.core.replies import BalancesReply, Done, Refused, Reply
from engine.core.types import BUY, GTC, GTD, LIMIT, SELL
from engine.dead_letters import (
    DEAD_LETTERS_KEY,
    MAX_DEAD_LETTERS,
    MAX_FAILURES,
    SUSPECTS_KEY,
    WHOLE_BATCH,
    Failure,
    count_dead_letters,
    name_of,
    read_dead_letters,
)
from engine.journal import read_all_after, tail_sequence
from engine.tests.envelopes import opened
from engine.wire import LEASE_KEY, QUEUE_KEY
from engine.worker.recovery import Replica
from engine.worker.suspects import CommandFailed
from engine.worker.tests.bench import SETUP, Bench
from engine.worker.worker import MAX_BATCH, Worker
from exchange_site.servers.addresses import ServerAddresses

CORE = core_engine.__file__.removesuffix("engine.py")

FOUNDATION: list[Command] = [
    *SETUP,
    Deposit(1, "USD", 10_000, "a"),
    Deposit(2, "ABC", 100, "b"),
    PlaceOrder(OrderTerms(2, "ABCUSD", SELL, LIMIT, GTC, 10, 3), 2**53),
    PlaceOrder(OrderTerms(2, "ABCUSD", SELL, LIMIT, GTC, 11, 3), 2**53),
    PlaceOrder(OrderTerms(1, "ABCUSD", BUY, LIMIT, GTD, 9, 1, good_till=2**50), 2**53),
]

POINTS = 20
"""How many lines of a command fail, spread evenly over all that it runs through."""

TARGETS: dict[str, Command] = {
    # It trades with both orders, rests, and is remembered by its key.
    "order": PlaceOrder(OrderTerms(1, "ABCUSD", BUY, LIMIT, GTC, 11, 8), 2**53, "key"),
    "cancel": CancelOrder(1, "ABCUSD", order_id=3),
    "deposit": Deposit(2, "USD", 500, "poisonous"),
}


class Injected(Exception):
    """A bug that the test plants."""


class FragileEngine(Engine):
    """Fails at a line of the core, counted from where it begins to apply the target."""

    def __init__(self, target: Command, fail_at: int) -> None:
        super().__init__()
        self._target = target
        self._fail_at = fail_at
        self.lines = 0

    def apply(self, command: Command) -> tuple[Reply, list[Event]]:
        if command != self._target:
            return super().apply(command)
        self.lines = 0
        sys.settrace(self._trace)
        try:
            return super().apply(command)
        finally:
            sys.settrace(None)

    def _trace(self, frame: FrameType, what: str, _argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(CORE):
            return None
        if what == "line":
            if self.lines == self._fail_at:
                raise Injected
            self.lines += 1
        return self._trace


class FragileBench(Bench):
    """Its workers' engines fail as told."""

    def __init__(
        self, connection: "redis.Redis", new_engine: Callable[[], Engine] = Engine
    ) -> None:
        self.new_engine = new_engine
        super().__init__(connection)

    def load(self) -> Replica:
        replica = Replica()
        replica.engine = self.new_engine()
        return replica

    def fail(self) -> None:
        """The worker fails on what waits, and a successor recovers."""
        with pytest.raises(CommandFailed):
            self.work()
        self.worker = self.new_worker()


@pytest.fixture
def bench(engine_redis: "redis.Redis") -> FragileBench:
    return FragileBench(engine_redis)


def lines_of(target: Command) -> int:
    """How many lines of the core the target runs through."""
    engine = FragileEngine(target, fail_at=-1)
    engine.advance(1)
    for command in (*FOUNDATION, target):
        engine.apply(command)
    return engine.lines


@pytest.mark.parametrize("name", TARGETS)
def test_a_failure_anywhere_costs_one_command(
    servers: ServerAddresses, engine_redis: "redis.Redis", name: str
) -> None:
    lines = lines_of(TARGETS[name])
    assert lines > 10
    for fail_at in range(0, lines, -(-lines // POINTS)):
        engine_redis.flushall()
        with connect(servers.engine_redis_url) as connection:
            check_failure(connection, TARGETS[name], fail_at)


def check_failure(connection: "redis.Redis", target: Command, fail_at: int) -> None:
    bench = FragileBench(connection)
    bench.new_engine = lambda: FragileEngine(target, fail_at)
    bench.worker = bench.new_worker()
    bench.do(*FOUNDATION)
    bench.push(Deposit(1, "USD", 1, "before"), target, Deposit(1, "USD", 1, "after"))
    for _ in range(MAX_FAILURES):
        bench.fail()
    bench.work()
    before, poisoned, after = bench.replies()
    assert (before, after) == (Done(), Done())
    assert isinstance(poisoned, Refused)
    assert poisoned.code is Code.POISON
    [letter] = read_dead_letters(connection, count=10)
    assert opened(letter.message)[1] == target
    assert letter.failures == MAX_FAILURES
    assert letter.report.rstrip().endswith("Injected")
    assert not connection.exists(SUSPECTS_KEY)
    assert bench.replica().digest == bench.worker._replica.digest, "it never happened"
    assert all(sum(totals) == 0 for totals in bench.replica().engine.accounts.totals().values())


def test_the_refusal_stands_where_the_dead_letter_says(bench: FragileBench) -> None:
    bench.do(*FOUNDATION)
    target = TARGETS["order"]
    bench.new_engine = lambda: FragileEngine(target, 5)
    bench.worker = bench.new_worker()
    bench.push(target)
    message = bench.waiting()[0]
    for _ in range(MAX_FAILURES):
        bench.fail()
    bench.work()
    [letter] = read_dead_letters(bench.redis, count=10)
    entry = list(read_all_after(bench.redis, 0))[-1].decode()
    assert entry.commands == [Poison(len(message), name_of(message))]
    assert (letter.sequence, letter.time) == (entry.sequence, entry.time)
    assert (letter.sha256, letter.message) == (name_of(message), message.decode())


def test_kills_never_count(bench: FragileBench) -> None:
    """Engines that die while they apply it, as often as they like."""
    bench.do(*FOUNDATION)
    bench.push(Deposit(1, "USD", 5, "c"))
    for _ in range(2 * MAX_FAILURES):
        bench.worker._apply(bench.worker._begin_batch(), bench.waiting())
        bench.worker = bench.new_worker()
    bench.work()
    assert bench.replies() == [Done()]
    assert count_dead_letters(bench.redis) == 0


def test_what_failed_twice_and_then_not_is_forgiven(bench: FragileBench) -> None:
    bench.do(*FOUNDATION)
    target = TARGETS["deposit"]
    bench.push(target)
    bench.new_engine = lambda: FragileEngine(target, 3)
    bench.worker = bench.new_worker()
    bench.fail()
    bench.new_engine = Engine
    bench.fail()
    bench.work()
    assert bench.replies() == [Done()]
    assert not bench.redis.exists(SUSPECTS_KEY)
    assert bench.worker._limit == MAX_BATCH
    assert count_dead_letters(bench.redis) == 0


def test_suspects_are_applied_one_by_one(bench: FragileBench) -> None:
    bench.do(*FOUNDATION)
    target = TARGETS["deposit"]
    bench.new_engine = lambda: FragileEngine(target, 3)
    bench.worker = bench.new_worker()
    others: list[Command] = [Deposit(1, "USD", 1, f"n{n}") for n in range(6)]
    bench.push(*others[:3], target, *others[3:])
    bench.fail()
    tail = tail_sequence(bench.redis)
    bench.fail()
    assert tail_sequence(bench.redis) == tail + 3, "those before it are committed, each by itself"
    bench.fail()
    bench.work()
    assert [type(reply) for reply in bench.replies()] == [Done] * 3 + [Refused] + [Done] * 3
    assert tail_sequence(bench.redis) == tail + 5, "what comes behind it shares an entry again"


def test_a_batch_in_flight_is_answered_before_the_engine_ends(bench: FragileBench) -> None:
    bench.do(*FOUNDATION)
    target = TARGETS["deposit"]
    bench.new_engine = lambda: FragileEngine(target, 3)
    bench.worker = bench.new_worker()
    bench.push(*(Deposit(1, "USD", 1, f"n{n}") for n in range(MAX_BATCH)), target)
    waiting = bench.worker.step(bench.waiting())
    assert len(waiting) == 1, "the first batch is in flight"
    with pytest.raises(CommandFailed):
        bench.worker.step(waiting)
    assert bench.replies() == [Done()] * MAX_BATCH
    assert bench.redis.hlen(SUSPECTS_KEY) == 1


def test_the_lease_is_given_back_with_the_failure_noted(bench: FragileBench) -> None:
    """Whoever stands by leads at once, and knows whom to suspect."""
    bench.do(*FOUNDATION)
    target = TARGETS["deposit"]
    bench.new_engine = lambda: FragileEngine(target, 3)
    bench.push(target)
    bench.worker._store.release()
    for failures in range(1, MAX_FAILURES + 1):
        worker = Worker(bench.new_store(), bench.clock, bench.load)
        with pytest.raises(CommandFailed):
            worker.run(lambda: False)
        assert not bench.redis.exists(LEASE_KEY)
        [failure] = bench.worker._store.suspects().values()
        assert failure.count == failures
    bench.worker = bench.new_worker()
    bench.work()
    assert bench.replies()[0].code is Code.POISON


def test_a_query_can_be_poison_too(bench: FragileBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.do(*FOUNDATION)

    def broken(_accounts: Accounts, _number: int) -> None:
        raise Injected

    monkeypatch.setattr(Accounts, "get", broken)
    bench.push(GetBalances(1))
    for _ in range(MAX_FAILURES):
        with pytest.raises(CommandFailed):
            bench.work()
        monkeypatch.undo()
        bench.worker = bench.new_worker()
        monkeypatch.setattr(Accounts, "get", broken)
    bench.work()
    assert bench.replies()[0].code is Code.POISON


def test_a_batch_that_cannot_be_journalled_is_applied_one_by_one(
    bench: FragileBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exception comes after all were applied: it is not known whose it is."""
    bench.do(*FOUNDATION)
    bench.push(Deposit(1, "USD", 1, "x"), Deposit(1, "USD", 1, "y"))

    def broken(*_batch: object) -> str:
        raise Injected

    monkeypatch.setattr("engine.worker.batch.roll", broken)
    with pytest.raises(CommandFailed):
        bench.work()
    monkeypatch.undo()
    assert list(bench.redis.hgetall(SUSPECTS_KEY)) == [WHOLE_BATCH.encode()]
    bench.worker = bench.new_worker()
    assert bench.worker._limit == 1
    bench.work()
    assert bench.replies() == [Done(), Done()]
    bench.worker.step([])
    assert bench.worker._limit == MAX_BATCH
    assert not bench.redis.exists(SUSPECTS_KEY)


def test_suspects_that_never_come_are_cleared(bench: FragileBench) -> None:
    """Somebody emptied the queue: the engine does not go step by step for ever."""
    bench.do(*FOUNDATION)
    bench.redis.hset(SUSPECTS_KEY, "gone", msgspec.json.encode(Failure(2, "?")))
    bench.worker = bench.new_worker()
    bench.push(*(Deposit(1, "USD", 1, f"n{n}") for n in range(2 * MAX_BATCH + 1)))
    bench.work()
    assert bench.replies() == [Done()] * (2 * MAX_BATCH + 1)
    assert bench.worker._limit == MAX_BATCH
    assert not bench.redis.exists(SUSPECTS_KEY)


def test_nobody_is_blamed_for_a_deadline(
    bench: FragileBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_engine: Engine, _now: int) -> None:
        raise Injected

    bench.push(Deposit(1, "USD", 1, "x"))
    monkeypatch.setattr(Engine, "advance", broken)
    with pytest.raises(CommandFailed):
        bench.work()
    assert not bench.redis.exists(SUSPECTS_KEY)
    assert bench.redis.llen(QUEUE_KEY) == 1


def test_dead_letters_are_bounded(bench: FragileBench) -> None:
    pipeline = bench.redis.pipeline()
    for _ in range(MAX_DEAD_LETTERS):
        pipeline.xadd(DEAD_LETTERS_KEY, {"letter": b"{}"})
    pipeline.execute()
    bench.do(*FOUNDATION)
    target = TARGETS["deposit"]
    bench.new_engine = lambda: FragileEngine(target, 0)
    bench.worker = bench.new_worker()
    bench.push(target)
    for _ in range(MAX_FAILURES):
        bench.fail()
    bench.work()
    assert bench.replies()[0].code is Code.POISON
    assert count_dead_letters(bench.redis) == MAX_DEAD_LETTERS


def test_balances_know_nothing_of_a_poisonous_order(bench: FragileBench) -> None:
    bench.do(*FOUNDATION)
    before = bench.do(GetBalances(1))
    target = TARGETS["order"]
    bench.new_engine = lambda: FragileEngine(target, lines_of(target) - 1)
    bench.worker = bench.new_worker()
    bench.push(target)
    for _ in range(MAX_FAILURES):
        bench.fail()
    bench.work()
    bench.replies()
    assert bench.do(GetBalances(1)) == before
    assert isinstance(before[0], BalancesReply)
