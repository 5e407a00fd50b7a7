"""A small exchange on real servers: a worker that is stepped by hand, a projector, a follower."""

from random import Random
from typing import Any

import redis
from django.conf import settings

from engine.connections import connect
from engine.core.commands import CancelOrder, Command, Deposit, OrderTerms, PlaceOrder
from engine.core.snapshot import encode_snapshot, take_snapshot
from engine.core.tests.exchange import LATE, MARKET
from engine.core.types import BUY, GTC, LIMIT, SELL
from engine.intake import push_command
from engine.journal import tail_sequence
from engine.projector.loop import project_journal
from engine.projector.positions import projected_sequence
from engine.publisher import keys
from engine.publisher.feeds import FeedsState
from engine.snapshots.follower import Follower, Policy
from engine.snapshots.records import DatabaseRecords
from engine.snapshots.trimming import trim_journal
from engine.wire import LEASE_KEY, QUEUE_KEY, encode
from engine.wire import encode_envelope as envelope
from engine.worker.loader import load_replica
from engine.worker.recovery import Replica
from engine.worker.redis_store import RedisStore, RedisStream
from engine.worker.tests.bench import SETUP, ManualClock
from engine.worker.worker import MAX_BATCH, Worker

POLICY = Policy(every_s=3600.0, every_commands=10**9, keep=3, keep_days=0)


class Scene:
    """Three accounts trade at random; each `trade` makes some journal entries."""

    def __init__(self, journal: "redis.Redis", shared: "redis.Redis") -> None:
        self.journal, self.shared = journal, shared
        self.clock = ManualClock(1_760_000_000_000)
        self.chance = Random(1)
        self.records = DatabaseRecords(shared)
        self.stream = RedisStream(journal)
        self.worker = self.new_worker()
        deposits = [
            Deposit(account, asset, 10**9, f"{account}-{asset}")
            for account in (1, 2, 3)
            for asset in ("ABC", "USD")
        ]
        self.do(*SETUP, *deposits)

    def load(self) -> Replica:
        return load_replica(self.stream, self.records)

    def new_worker(self) -> Worker:
        """The engine dies, and the next one starts."""
        self.journal.delete(LEASE_KEY)
        worker = Worker(RedisStore(self.journal, 60_000), self.clock, self.load)
        assert worker.lead()
        worker.recover()
        return worker

    def do(self, *commands: Command) -> None:
        """One journal entry."""
        for number, command in enumerate(commands):
            pushed = envelope("test", number, command)
            self.journal.execute_command(*push_command([command], [pushed]))
        waiting: list[Any] = self.journal.lrange(QUEUE_KEY, 0, MAX_BATCH - 1)
        while waiting:
            waiting = self.worker.step(waiting)

    def trade(self, entries: int) -> None:
        for _ in range(entries):
            self.clock.now += self.chance.choice((0, 7, 900, 61_000))
            self.do(*(self._command() for _ in range(self.chance.randint(1, 4))))

    def _command(self) -> Command:
        account = self.chance.choice((1, 2, 3))
        if self.chance.random() < 0.3:
            return CancelOrder(account, MARKET, order_id=self.chance.randint(1, 200))
        side, price = self.chance.choice((BUY, SELL)), self.chance.randint(95, 105)
        terms = OrderTerms(account, MARKET, side, LIMIT, GTC, price, self.chance.randint(1, 9))
        return PlaceOrder(terms, LATE, key=f"k{self.chance.random()}")

    def project(self) -> None:
        """All there is."""
        with connect(settings.ENGINE_REDIS_URL) as connection:
            while projected_sequence() < tail_sequence(connection):
                project_journal(connection, seconds=0.1)

    def publish_until(self, sequence: int) -> None:
        """What a publisher stores of its position."""
        self.shared.set(keys.STATE, encode(FeedsState(sequence=sequence)))

    def follower(self, policy: Policy = POLICY) -> Follower:
        return Follower(self.stream, self.records, policy)

    def snapshot(self) -> int:
        """Take one of the journal's tail; its entry."""
        follower = self.follower()
        follower.follow(seconds=60)
        follower.take_snapshot()
        return follower.verified

    def trim(self, *, snapshot: int, keep: int = 1) -> int:
        return trim_journal(self.journal, self.shared, snapshot=snapshot, keep=keep)

    def archive_and_trim(self) -> int:
        """A snapshot, and a stream of one entry."""
        sequence = self.snapshot()
        self.project()
        self.publish_until(sequence)
        self.trim(snapshot=sequence)
        return sequence

    def state(self) -> bytes:
        return state_of(self.worker._replica)


def state_of(replica: Replica) -> bytes:
    return encode_snapshot(take_snapshot(replica.engine))
