"""A standby follows, takes over, and whoever led before can write nothing more."""

import os
from collections.abc import Callable

import msgspec
import pytest
import redis

from engine.core.commands import Deposit
from engine.core.queries import GetBalances
from engine.core.replies import BalancesReply, Done
from engine.core.snapshot import state_hash
from engine.journal import JOURNAL_KEY, read_all_after, tail_sequence
from engine.presence import STANDBYS_KEY, Presence, Standby, read_presence
from engine.wire import LEASE_KEY
from engine.worker.recovery import JournalBroken, JournalGap, Replica
from engine.worker.tests.bench import SETUP, Bench
from engine.worker.worker import FOLLOW_AT_ONCE, Worker


@pytest.fixture
def bench(engine_redis: "redis.Redis") -> Bench:
    return Bench(engine_redis)


def deposit(number: int) -> Deposit:
    return Deposit(1, "USD", 1, f"d{number}")


def new_standby(bench: Bench, load: Callable[[], Replica] = Replica) -> Worker:
    return Worker(bench.new_store(), bench.clock, load)


def fill_journal(bench: Bench, entries: int) -> None:
    bench.do(*SETUP)
    for number in range(entries - 1):
        bench.do(deposit(number))


def test_it_follows_a_little_at_a_time(bench: Bench) -> None:
    fill_journal(bench, FOLLOW_AT_ONCE + 10)
    standby = new_standby(bench)
    assert standby.stand_by(), "there may be more"
    assert standby._replica.sequence == FOLLOW_AT_ONCE
    assert not standby.stand_by()
    assert standby._replica.sequence == tail_sequence(bench.redis)
    assert state_hash(standby._replica.engine) == state_hash(bench.worker._replica.engine)


def test_it_leads_from_where_it_followed_to(bench: Bench) -> None:
    fill_journal(bench, 5)
    standby = new_standby(bench)
    standby.stand_by()
    bench.do(deposit(10))
    bench.push(deposit(11))
    bench.redis.delete(LEASE_KEY)
    assert standby.lead()
    standby.recover()
    bench.worker = standby
    bench.work()
    assert bench.replies() == [Done()]
    assert bench.do(GetBalances(1)) == [BalancesReply((("USD", 6, 0),))]
    assert [entry.epoch for entry in read_all_after(bench.redis, 0)][-1] == 2


def test_one_that_fell_behind_loads_anew(bench: Bench) -> None:
    """The journal was trimmed beyond where it stood; what it loads stands further on."""
    loaded = [Replica()]
    standby = new_standby(bench, load=lambda: loaded[-1])
    fill_journal(bench, 6)
    newer = Replica()
    newer.follow(entry for entry in read_all_after(bench.redis, 0) if entry.sequence <= 4)
    loaded.append(newer)
    bench.redis.xtrim(JOURNAL_KEY, maxlen=3, approximate=False)
    while standby.stand_by():
        pass
    standby.stand_by()
    assert standby._replica.digest == bench.worker._replica.digest


def test_one_that_fell_behind_what_can_be_loaded_stops(bench: Bench) -> None:
    standby = new_standby(bench)
    fill_journal(bench, 4)
    bench.redis.xtrim(JOURNAL_KEY, maxlen=2, approximate=False)
    with pytest.raises(JournalGap):
        standby.stand_by()


def test_one_that_cannot_lead_gives_the_lease_back(bench: Bench) -> None:
    def check() -> None:
        raise JournalBroken("somebody has seen more")

    bench.worker._store.release()
    with pytest.raises(JournalBroken, match="seen more"):
        Worker(bench.new_store(), bench.clock, check=check).run(lambda: False)
    assert not bench.redis.exists(LEASE_KEY)


def test_one_that_fails_while_it_stands_by_leaves_the_lease_alone(bench: Bench) -> None:
    fill_journal(bench, 4)
    standby = new_standby(bench)
    bench.redis.xtrim(JOURNAL_KEY, maxlen=2, approximate=False)
    with pytest.raises(JournalGap):
        standby.run(lambda: False, standby=True)
    assert bench.redis.exists(LEASE_KEY)


def test_a_standby_is_known_while_it_lives(bench: Bench) -> None:
    bench.do(*SETUP, deposit(1))
    bench.do(deposit(2))
    standby = new_standby(bench)
    standby.stand_by()
    presence = read_presence(bench.redis)
    assert presence.leads
    assert presence.leader is not None
    assert (presence.leader.pid, presence.leader.epoch) == (os.getpid(), 1)
    assert [(s.pid, s.sequence) for s in presence.standbys] == [(os.getpid(), 2)]
    standby.run(lambda: True, standby=True)
    assert read_presence(bench.redis).standbys == [], "it signed off"


def test_a_silent_standby_does_not_count_and_is_swept_out(bench: Bench) -> None:
    bench.redis.hset(STANDBYS_KEY, "gone", msgspec.json.encode(Standby("far", 7, 3, seen=0)))
    assert read_presence(bench.redis).standbys == []
    new_standby(bench).stand_by()
    assert len(bench.redis.hgetall(STANDBYS_KEY)) == 1


def test_whoever_takes_the_lease_stands_by_no_more(bench: Bench) -> None:
    standby = new_standby(bench)
    standby.stand_by()
    bench.redis.delete(LEASE_KEY)
    assert standby.lead()
    presence = read_presence(bench.redis)
    assert presence.standbys == []
    assert presence.leader is not None
    assert presence.leader.epoch == 2


def test_nobody_leads(engine_redis: "redis.Redis") -> None:
    assert read_presence(engine_redis) == Presence(leads=False, leader=None, standbys=[])
