"""The wall clock jumps by an hour, back and forth: the exchange's time goes on."""

import random

import pytest
import redis

from engine.core.commands import Deposit, OrderTerms, PlaceOrder
from engine.core.queries import GetBalances
from engine.core.replies import Accepted, BalancesReply
from engine.core.types import BUY, GTD, LIMIT
from engine.journal import read_all_after
from engine.worker.clock import SteadyClock
from engine.worker.tests.bench import SETUP, Bench

HOUR_S = 3_600.0


class Machine:
    """Its two clocks, in seconds. Somebody may set the one on the wall."""

    def __init__(self) -> None:
        self.wall = 1_760_000_000.0
        self.uptime = 50.0

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.uptime += seconds

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.uptime)


class TickingBench(Bench):
    """Its worker reads the machine's clocks through the real clock."""

    def __init__(self, connection: "redis.Redis", machine: Machine) -> None:
        super().__init__(connection)
        self.machine = machine
        self.restart()

    def restart(self) -> None:
        self.clock = self.machine.clock()
        self.worker = self.new_worker()

    def times(self) -> list[int]:
        return [entry.time for entry in read_all_after(self.redis, 0)]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def bench(engine_redis: "redis.Redis", machine: Machine) -> TickingBench:
    return TickingBench(engine_redis, machine)


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_jump_while_it_runs_changes_nothing(machine: Machine, jump_s: float) -> None:
    clock = machine.clock()
    before = clock.now_ms()
    machine.wall += jump_s
    machine.wait(1.5)
    assert clock.now_ms() == before + 1_500


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_jump_across_a_restart(bench: TickingBench, machine: Machine, jump_s: float) -> None:
    """Set forward, time follows the wall; set back, it goes on from where the journal ended."""
    bench.do(*SETUP)
    before = bench.times()[-1]
    machine.wall += jump_s
    machine.wait(2.0)
    bench.restart()
    machine.wait(0.5)
    bench.do(Deposit(1, "USD", 1, "a"))
    passed = bench.times()[-1] - before
    assert passed == (2_500 + 3_600_000 if jump_s > 0 else 500)


def test_an_order_good_till_a_date_outlives_no_jump_back(
    bench: TickingBench, machine: Machine
) -> None:
    bench.do(*SETUP, Deposit(1, "USD", 50, "a"))
    good_till = bench.times()[-1] + 60_000
    order = PlaceOrder(OrderTerms(1, "ABCUSD", BUY, LIMIT, GTD, 10, 1, good_till=good_till), 2**53)
    assert isinstance(bench.do(order)[0], Accepted)
    machine.wall -= HOUR_S
    bench.restart()
    machine.wait(61.0)
    bench.worker.step([])
    assert bench.do(GetBalances(1)) == [BalancesReply((("USD", 50, 0),))]


def test_whatever_happens_time_never_runs_backwards(bench: TickingBench, machine: Machine) -> None:
    chance = random.Random(5)
    bench.do(*SETUP)
    for number in range(60):
        machine.wall += chance.choice((0.0, HOUR_S, -HOUR_S, -3 * HOUR_S))
        if chance.random() < 0.3:
            bench.restart()
        machine.wait(0.01 + chance.random() * 3)
        bench.do(Deposit(1, "USD", 1, f"d{number}"))
    times = bench.times()
    assert times == sorted(times)
    assert len(set(times)) == len(times), "nor does it stand still"
    assert bench.replica().digest == bench.worker._replica.digest
