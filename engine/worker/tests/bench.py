"""A worker on a real Redis, stepped by hand, for tests."""

from typing import Any, cast

import redis

from engine.core.commands import Command, DefineAsset
from engine.core.queries import Query
from engine.core.tests.exchange import RULES
from engine.intake import push_command
from engine.journal import read_all_after
from engine.wire import LEASE_KEY, QUEUE_KEY, REPLY_CHANNEL, decode_replies
from engine.wire import encode_envelope as envelope
from engine.worker.recovery import Replica
from engine.worker.redis_store import RedisStore
from engine.worker.worker import MAX_BATCH, Worker

SETUP: list[Command] = [DefineAsset("ABC", 0), DefineAsset("USD", 0), RULES]


class ManualClock:
    """Time that the test moves."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.now = now

    def now_ms(self) -> int:
        return self.now

    def not_before(self, time_ms: int) -> None:
        self.now = max(self.now, time_ms)


class Bench:
    """A worker that is stepped by hand, and a client that collects its replies."""

    def __init__(self, connection: "redis.Redis") -> None:
        self.redis = connection
        self.clock: Any = ManualClock()
        self.requests = 0
        self.answered: set[int] = set()
        self.subscription = connection.pubsub(ignore_subscribe_messages=True)
        self.subscription.subscribe(REPLY_CHANNEL + "test")
        self.worker = self.new_worker()

    def new_store(self, lease_ms: int = 60_000) -> RedisStore:
        return RedisStore(self.redis, lease_ms)

    def new_worker(self) -> Worker:
        """A successor: the lease of whoever led before has lapsed."""
        self.redis.delete(LEASE_KEY)
        worker = Worker(self.new_store(), self.clock, self.load)
        assert worker.lead()
        worker.recover()
        return worker

    def load(self) -> Replica:
        return Replica()

    def push(self, *messages: Command | Query) -> None:
        for message in messages:
            self.requests += 1
            pushed = envelope("test", self.requests, message)
            self.redis.execute_command(*push_command([message], [pushed]))

    def waiting(self) -> list[bytes]:
        return self.peek(MAX_BATCH)

    def peek(self, limit: int) -> list[bytes]:
        return cast(list[bytes], self.redis.lrange(QUEUE_KEY, 0, limit - 1))

    def work(self) -> None:
        """Until nothing waits."""
        waiting = self.peek(self.worker._limit)
        while waiting:
            waiting = self.worker.step(waiting)

    def replies(self) -> list[Any]:
        """All replies published since the last call, in order, the first to each request."""
        self.redis.publish(REPLY_CHANNEL + "test", b"end")
        answers: list[Any] = []
        while True:
            message = self.subscription.get_message(timeout=5)
            if message is None:
                continue
            if message["data"] == b"end":
                return answers
            for request_id, reply in decode_replies(message["data"]).replies:
                if request_id not in self.answered:
                    self.answered.add(request_id)
                    answers.append(reply)

    def do(self, *messages: Command | Query) -> list[Any]:
        self.push(*messages)
        self.work()
        return self.replies()

    def replica(self) -> Replica:
        replica = Replica()
        replica.follow(read_all_after(self.redis, 0))
        return replica
