"""One contract for the engine's store: what the real one does, the simulated one does too."""

from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
import redis

from engine.dead_letters import DeadLetter, Failure, Verdict, read_dead_letters
from engine.intake import push_command
from engine.journal import JOURNAL_KEY, EncodedEntry
from engine.presence import read_presence
from engine.wire import LEASE_KEY, REPLY_CHANNEL
from engine.worker.ports import Fenced, JournalTailMoved, Store
from engine.worker.redis_store import RedisStore
from simulation.hours import Hours
from simulation.memory_redis import MemoryRedis, MemoryStore


class Server(Protocol):
    """A server, and what is done to it past its stores."""

    def store(self) -> Store: ...
    def push(self, *messages: bytes) -> None: ...
    def lapse(self) -> None:
        """The lease ends."""

    def trim(self, before: int) -> None: ...
    def heard(self) -> list[tuple[str, bytes]]:
        """What was published."""

    def dead_letters(self) -> list[DeadLetter]: ...
    def standbys(self) -> list[int]:
        """How far each has followed."""


class RealServer:
    def __init__(self, connection: "redis.Redis") -> None:
        self._redis = connection
        self._subscription = connection.pubsub(ignore_subscribe_messages=True)
        self._subscription.psubscribe(REPLY_CHANNEL + "*")

    def store(self) -> Store:
        return RedisStore(self._redis, lease_ms=60_000)

    def push(self, *messages: bytes) -> None:
        self._redis.execute_command(*push_command([], messages))

    def lapse(self) -> None:
        self._redis.delete(LEASE_KEY)

    def trim(self, before: int) -> None:
        self._redis.xtrim(JOURNAL_KEY, minid=f"{before}-0", approximate=False)

    def heard(self) -> list[tuple[str, bytes]]:
        self._redis.publish(REPLY_CHANNEL, b"end")
        heard: list[tuple[str, bytes]] = []
        while True:
            message = self._subscription.get_message(timeout=5)
            if message is None:
                continue
            if message["data"] == b"end":
                return heard
            heard.append((message["channel"].decode().removeprefix(REPLY_CHANNEL), message["data"]))

    def dead_letters(self) -> list[DeadLetter]:
        return read_dead_letters(self._redis, count=10)

    def standbys(self) -> list[int]:
        return [standby.sequence for standby in read_presence(self._redis).standbys]


class SimulatedServer:
    def __init__(self) -> None:
        self._hours = Hours()
        self._redis = MemoryRedis(self._hours)
        self._heard: list[tuple[str, bytes]] = []
        self._redis.published = lambda name, text: self._heard.append((name, text))
        self._stores = 0

    def store(self) -> Store:
        self._stores += 1
        return MemoryStore(self._redis, f"store-{self._stores}", lease_ms=60_000)

    def push(self, *messages: bytes) -> None:
        self._redis.push(*messages)

    def lapse(self) -> None:
        self._hours.let_pass(60_000)

    def trim(self, before: int) -> None:
        self._redis.trim(before)

    def heard(self) -> list[tuple[str, bytes]]:
        return self._heard

    def dead_letters(self) -> list[DeadLetter]:
        return self._redis.dead_letters

    def standbys(self) -> list[int]:
        return list(self._redis.standbys.values())


@pytest.fixture(params=["real", "simulated"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "simulated":
        yield SimulatedServer()
    else:
        yield RealServer(request.getfixturevalue("engine_redis"))


@pytest.fixture
def leader(server: Server) -> Store:
    store = server.store()
    assert store.acquire() == 1
    return store


def entry(sequence: int, epoch: int = 1) -> EncodedEntry:
    return EncodedEntry(sequence, epoch, 2, 1_000 + sequence, b"[]", b"[[]]", "d", b"[]")


def commit(store: Store, number: int, *, consumed: int = 0, verdict: Verdict | None = None) -> None:
    store.begin_commit(entry(number) if number else None, consumed, verdict)
    store.finish_commit()


def test_one_leads_and_each_leadership_has_its_epoch(server: Server, leader: Store) -> None:
    other = server.store()
    assert other.acquire() is None
    server.lapse()
    assert other.acquire() == 2
    other.release()
    assert server.store().acquire() == 3


def test_only_its_holder_hands_back_a_lease(server: Server, leader: Store) -> None:
    server.store().release()
    assert server.store().acquire() is None


def test_peeking_moves_nothing(server: Server, leader: Store) -> None:
    server.push(b"a", b"b", b"c")
    assert leader.peek(2) == leader.wait(2, 10) == [b"a", b"b"]
    assert leader.peek(2, skip=1) == [b"b", b"c"]
    assert leader.peek(5, skip=3) == []
    assert leader.wait(5, 10) == [b"a", b"b", b"c"]


def test_waiting_ends_without_messages(leader: Store) -> None:
    assert leader.wait(5, 1) == []


def test_waiting_goes_on_after_what_was_seen(server: Server, leader: Store) -> None:
    """Of each push that finds the queue empty the server tells once."""
    for number in range(1, 4):
        server.push(b"a")
        assert leader.peek(5) == [b"a"]
        commit(leader, number, consumed=1)
    assert leader.wait(5, 1) == []
    server.push(b"b")
    assert leader.wait(5, 10_000) == [b"b"]


def test_a_commit_appends_and_consumes(server: Server, leader: Store) -> None:
    server.push(b"a", b"b", b"c")
    commit(leader, 1, consumed=2)
    assert list(leader.read_after(0)) == [entry(1)]
    assert leader.tail() == 1
    assert leader.peek(5) == [b"c"]


def test_a_commit_without_an_entry_only_consumes(server: Server, leader: Store) -> None:
    server.push(b"a", b"b")
    commit(leader, 0, consumed=1)
    assert (leader.tail(), leader.peek(5)) == (0, [b"b"])


@pytest.mark.parametrize("number", [1, 3, 9])
def test_an_entry_goes_nowhere_but_behind_the_tail(
    server: Server, leader: Store, number: int
) -> None:
    server.push(b"a")
    commit(leader, 1)
    with pytest.raises(JournalTailMoved):
        commit(leader, number, consumed=1)
    assert (leader.tail(), leader.peek(5)) == (1, [b"a"])


def test_an_old_leader_writes_nothing(server: Server, leader: Store) -> None:
    server.push(b"a")
    server.lapse()
    successor = server.store()
    assert successor.acquire() == 2
    attempts: list[Callable[[], None]] = [
        leader.renew,
        leader.regulate,
        lambda: leader.suspect("m", Failure(1, "")),
        lambda: commit(leader, 1, consumed=1),
        lambda: commit(leader, 0, consumed=1),
    ]
    for attempt in attempts:
        with pytest.raises(Fenced):
            attempt()
    server.lapse()
    for attempt in attempts:
        with pytest.raises(Fenced):
            attempt()
    assert (successor.tail(), successor.peek(5), successor.suspects()) == (0, [b"a"], {})


def test_a_lapsed_lease_that_nobody_took_is_renewed(server: Server, leader: Store) -> None:
    server.lapse()
    commit(leader, 1)
    assert server.store().acquire() is None
    server.lapse()
    leader.renew()
    assert server.store().acquire() is None


def test_the_journal_is_read_from_anywhere(server: Server, leader: Store) -> None:
    for number in range(1, 6):
        commit(leader, number)
    assert [e.sequence for e in leader.read_after(3)] == [4, 5]
    assert list(leader.read_after(5)) == []
    server.trim(3)
    assert [e.sequence for e in leader.read_after(0)] == [3, 4, 5]
    assert [e.sequence for e in leader.read_after(4)] == [5]
    assert leader.tail() == 5
    commit(leader, 6)


def test_suspects_are_settled_with_the_commit(server: Server, leader: Store) -> None:
    failure = Failure(2, "why")
    leader.suspect("m", Failure(1, "why"))
    leader.suspect("m", failure)
    leader.suspect("n", failure)
    assert leader.suspects() == {"m": failure, "n": failure}
    letter = DeadLetter(1, 1_001, "m", "text", 3, "why")
    commit(leader, 1, verdict=Verdict(["m"], letter))
    assert leader.suspects() == {"n": failure}
    assert server.dead_letters() == [letter]
    commit(leader, 0, verdict=Verdict(["n"]))
    assert leader.suspects() == {}


def test_a_refused_commit_settles_nothing(server: Server, leader: Store) -> None:
    failure = Failure(3, "why")
    leader.suspect("m", failure)
    with pytest.raises(JournalTailMoved):
        commit(leader, 5, verdict=Verdict(["m"], DeadLetter(5, 1, "m", "text", 3, "why")))
    assert leader.suspects() == {"m": failure}
    assert server.dead_letters() == []


def test_replies_go_out_and_the_queue_comes_back(server: Server, leader: Store) -> None:
    server.push(b"a", b"b", b"c")
    leader.begin_publish({"web": b"one", "bot": b"two"}, limit=1, skip=1)
    assert leader.finish_publish() == [b"b"]
    assert sorted(server.heard()) == [("bot", b"two"), ("web", b"one")]
    leader.begin_publish({}, limit=5)
    assert leader.finish_publish() == [b"a", b"b", b"c"]


def test_a_standby_is_known_until_it_leads_or_signs_off(server: Server, leader: Store) -> None:
    one, two = server.store(), server.store()
    one.announce(3)
    one.announce(4)
    two.announce(7)
    assert sorted(server.standbys()) == [4, 7]
    two.release()
    assert server.standbys() == [4]
    server.lapse()
    assert one.acquire() == 2
    assert server.standbys() == []
