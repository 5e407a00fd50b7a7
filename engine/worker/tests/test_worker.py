"""The worker on a real Redis: nothing lost, nothing twice, nothing said too early."""

from typing import Any

import msgspec
import pytest
import redis

from engine.core.commands import (
    CancelOrder,
    DefineMarket,
    Deposit,
    Malformed,
    OrderTerms,
    PlaceOrder,
)
from engine.core.queries import GetBalances, GetState
from engine.core.rejections import Code
from engine.core.replies import BalancesReply, Done, Refused, StateReply
from engine.core.snapshot import take_snapshot
from engine.core.tests.exchange import RULES
from engine.core.types import BUY, GTD, LIMIT
from engine.journal import JOURNAL_KEY, read_all_after, tail_sequence
from engine.wire import LEASE_KEY, MAX_MESSAGE_BYTES, QUEUE_KEY
from engine.worker.ports import Fenced, JournalTailMoved
from engine.worker.recovery import JournalBroken
from engine.worker.tests.bench import SETUP, Bench, ManualClock
from engine.worker.worker import MAX_BATCH, Worker


@pytest.fixture
def bench(engine_redis: "redis.Redis") -> Bench:
    return Bench(engine_redis)


def test_commands_are_journalled_and_answered_in_order(bench: Bench) -> None:
    replies = bench.do(*SETUP, Deposit(1, "USD", 5, "a"), GetBalances(1), Deposit(1, "XYZ", 5, "b"))
    assert replies[:4] == [Done()] * 4
    assert replies[4] == BalancesReply((("USD", 5, 0),))
    assert isinstance(replies[5], Refused)
    assert bench.redis.llen(QUEUE_KEY) == 0
    entries = [entry.decode() for entry in read_all_after(bench.redis, 0)]
    assert [command for entry in entries for command in entry.commands][:3] == SETUP
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))


def test_a_query_is_answered_and_never_journalled(bench: Bench) -> None:
    [state] = bench.do(GetState())
    assert isinstance(state, StateReply)
    assert (state.sequence, tail_sequence(bench.redis)) == (0, 0)
    assert bench.redis.llen(QUEUE_KEY) == 0


def test_a_successor_recovers_the_same_state(bench: Bench) -> None:
    bench.do(*SETUP, Deposit(1, "USD", 500, "a"))
    before = take_snapshot(bench.worker._replica.engine)
    bench.worker = bench.new_worker()
    assert take_snapshot(bench.worker._replica.engine) == before
    assert bench.do(Deposit(1, "USD", 5, "b")) == [Done()]
    assert [entry.epoch for entry in read_all_after(bench.redis, 0)][-1] == 2


def test_what_was_applied_but_not_committed_is_applied_again(bench: Bench) -> None:
    """The worker dies between memory and journal: the queue still holds the command."""
    bench.do(*SETUP)
    bench.push(Deposit(1, "USD", 5, "a"))
    bench.worker._apply(bench.worker._begin_batch(), bench.waiting())
    assert tail_sequence(bench.redis) == 1
    bench.worker = bench.new_worker()
    bench.work()
    assert bench.replies() == [Done()]
    assert bench.do(GetBalances(1)) == [BalancesReply((("USD", 5, 0),))]


def test_what_was_committed_but_not_answered_is_answered_by_the_successor(bench: Bench) -> None:
    """The worker dies between journal and reply. The command is not applied again."""
    bench.do(*SETUP)
    bench.push(Deposit(1, "USD", 5, "a"))
    entry, _ = bench.worker._apply(bench.worker._begin_batch(), bench.waiting())
    store = bench.worker._store
    store.begin_commit(entry, 1)
    store.finish_commit()
    assert bench.replies() == []
    bench.worker = bench.new_worker()
    assert bench.replies() == [Done()]
    bench.work()
    assert bench.do(GetBalances(1)) == [BalancesReply((("USD", 5, 0),))]


def test_no_reply_leaves_before_its_commit(bench: Bench) -> None:
    """With a commit in flight the next batch is applied, but nobody hears of it."""
    bench.do(*SETUP)
    bench.push(*(Deposit(1, "USD", 1, f"k{n}") for n in range(MAX_BATCH + 3)))
    waiting = bench.worker.step(bench.waiting())
    assert len(waiting) == 3, "the commit was left in flight"
    assert bench.replies() == []
    assert bench.worker.step(waiting) == []
    assert len(bench.replies()) == MAX_BATCH + 3
    assert tail_sequence(bench.redis) == 3
    assert bench.redis.llen(QUEUE_KEY) == 0


def test_an_old_leader_is_fenced(bench: Bench) -> None:
    bench.do(*SETUP)
    old = bench.worker
    bench.worker = bench.new_worker()
    bench.push(Deposit(1, "USD", 5, "a"))
    with pytest.raises(Fenced):
        old.step(bench.waiting())
    assert tail_sequence(bench.redis) == 1
    bench.work()
    assert bench.replies() == [Done()]


def test_only_one_leads(bench: Bench) -> None:
    assert not Worker(bench.new_store(), bench.clock).lead()


def test_a_lapsed_lease_nobody_took_is_renewed(bench: Bench) -> None:
    """After a stall the leader goes on: an unchanged epoch proves that nobody led meanwhile."""
    bench.redis.delete(LEASE_KEY)
    assert bench.do(*SETUP) == [Done()] * 3
    assert bench.redis.exists(LEASE_KEY)


def test_a_lease_is_released_for_the_next(bench: Bench) -> None:
    bench.worker.run(lambda: True)
    bench.worker._store.release()
    assert not bench.redis.exists(LEASE_KEY)


def test_a_journal_that_moved_stops_the_engine(bench: Bench) -> None:
    bench.do(*SETUP)
    bench.redis.xtrim(JOURNAL_KEY, maxlen=0)
    bench.push(Deposit(1, "USD", 5, "a"))
    with pytest.raises(JournalTailMoved):
        bench.work()
    assert bench.redis.llen(QUEUE_KEY) == 1


def test_a_gap_in_the_journal_stops_recovery(bench: Bench) -> None:
    for command in SETUP:
        bench.do(command)
    bench.redis.xdel(JOURNAL_KEY, "2-0")
    with pytest.raises(JournalBroken, match="gap"):
        bench.new_worker()


def test_an_altered_entry_stops_recovery(bench: Bench) -> None:
    bench.do(*SETUP)
    [entry] = read_all_after(bench.redis, 0)
    bench.redis.delete(JOURNAL_KEY)
    fields: dict[Any, Any] = entry.fields() | {"commands": entry.commands.replace(b"USD", b"EUR")}
    bench.redis.xadd(JOURNAL_KEY, fields, id="1-0")
    with pytest.raises(JournalBroken, match="does not replay"):
        bench.new_worker()


def test_another_core_version_stops_recovery(bench: Bench) -> None:
    bench.do(*SETUP)
    [entry] = read_all_after(bench.redis, 0)
    bench.redis.delete(JOURNAL_KEY)
    other: dict[Any, Any] = msgspec.structs.replace(entry, core=99).fields()
    bench.redis.xadd(JOURNAL_KEY, other, id="1-0")
    with pytest.raises(JournalBroken, match="core version 99"):
        bench.new_worker()


@pytest.mark.parametrize(
    ("junk", "answered"),
    [
        (b"", False),
        (b"\x00\xff\xfe", False),
        (b"null", False),
        (b"[]", False),
        (b'["test"]', False),
        (b"[" * 100_000, False),
        (b'["test",999]', True),
        (b'["test",999,["cancel_order",1,"M"]]', False),
        (b'["test",999] ["place_order"]', True),
        (b'["test",999] ["no_such_command",1]', True),
        (b'["test",999] ["cancel_order",1,"M"', True),
        (b'["test",999] ["cancel_order",1,"M",null,null,null,[]]', True),
        (b'["test",999] ["deposit",1,"USD",99999999999999999999999,"k"]', True),
        (b'["test",999] ["deposit",1,"USD",1.5,"k"]', True),
        (b'["test",999] ["deposit",NaN,"USD",1,"k"]', True),
        (b'["test",99999999999999999999999] ["deposit",1,"USD",1,"k"]', False),
        (b'["test",999] "' + b"x" * MAX_MESSAGE_BYTES + b'"', True),
    ],
)
def test_junk_becomes_a_journalled_refusal(bench: Bench, junk: bytes, answered: bool) -> None:
    bench.do(*SETUP)
    before = bench.do(GetState())[0].state_hash
    bench.redis.rpush(QUEUE_KEY, junk)
    bench.work()
    codes = [reply.code for reply in bench.replies()]
    assert codes == ([Code.MALFORMED] if answered else [])
    newest = list(read_all_after(bench.redis, 0))[-1].decode()
    assert [type(command) for command in newest.commands] == [Malformed]
    assert bench.do(GetState())[0].state_hash == before
    assert bench.do(Deposit(1, "USD", 5, "a")) == [Done()], "what comes behind it is served"
    assert bench.replica().digest == bench.worker._replica.digest


def test_the_clock_never_runs_backwards(bench: Bench) -> None:
    bench.do(*SETUP)
    bench.clock.now -= 3_600_000
    bench.do(Deposit(1, "USD", 5, "a"))
    bench.worker = bench.new_worker()
    bench.do(Deposit(1, "USD", 5, "b"))
    times = [entry.time for entry in read_all_after(bench.redis, 0)]
    assert times == [1_000_000] * 3


def test_a_deadline_is_journalled_without_a_command(bench: Bench) -> None:
    terms = OrderTerms(1, "ABCUSD", BUY, LIMIT, GTD, 10, 1, good_till=1_000_500)
    bench.do(*SETUP, Deposit(1, "USD", 50, "a"), PlaceOrder(terms, 2**53))
    assert bench.worker._patience_ms() == 333
    bench.clock.now += 400
    assert bench.worker._patience_ms() == 100
    bench.clock.now += 100
    bench.worker.step([])
    newest = list(read_all_after(bench.redis, 0))[-1].decode()
    assert newest.commands == []
    assert bench.do(GetBalances(1)) == [BalancesReply((("USD", 50, 0),))]


def test_what_is_not_journalled_leaves_no_trace(bench: Bench) -> None:
    """Idle ticks and queries, for days: the journal replays to the same state."""
    bench.do(*SETUP, Deposit(1, "USD", 5, "a"))
    before = take_snapshot(bench.worker._replica.engine)
    for _ in range(5):
        bench.clock.now += 86_400_000
        bench.worker.step([])
        bench.do(GetBalances(1))
    assert tail_sequence(bench.redis) == 1
    assert take_snapshot(bench.worker._replica.engine) == before
    bench.do(Deposit(1, "USD", 5, "a"))
    assert take_snapshot(bench.replica().engine) == take_snapshot(bench.worker._replica.engine)


def test_an_entry_without_origins_is_replayed(bench: Bench) -> None:
    """As the archive keeps it, and as older journals have it."""
    bench.do(*SETUP)
    [entry] = read_all_after(bench.redis, 0)
    bench.redis.delete(JOURNAL_KEY)
    fields: dict[Any, Any] = {k: v for k, v in entry.fields().items() if k != "origins"}
    bench.redis.xadd(JOURNAL_KEY, fields, id="1-0")
    bench.worker = bench.new_worker()
    assert bench.do(Deposit(1, "USD", 5, "a")) == [Done()]


def test_the_clock_goes_on_where_the_journal_ended(bench: Bench) -> None:
    """The wall clock was set back an hour, then the engine restarts: time passes all the same."""
    bench.do(*SETUP)
    ended = bench.clock.now
    bench.clock = ManualClock(ended - 3_600_000)
    bench.worker = bench.new_worker()
    bench.clock.now += 70
    bench.do(Deposit(1, "USD", 5, "a"))
    assert [entry.time for entry in read_all_after(bench.redis, 0)][-1] == ended + 70


def test_a_market_can_change_its_rules_between_two_engines(bench: Bench) -> None:
    stricter: DefineMarket = msgspec.structs.replace(RULES, tick=5)
    bench.do(*SETUP, stricter)
    bench.worker = bench.new_worker()
    market = bench.worker._replica.engine.markets.get("ABCUSD")
    assert market is not None
    assert market.rules.tick == 5
    assert bench.do(CancelOrder(1, "ABCUSD", order_id=1))[0].code is Code.UNKNOWN_ORDER
