"""Many commands at once: in order, bounded, all or none, and never twice."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
import redis

from engine import intake
from engine.client import Answer, EngineClient, EngineUnavailable, StatusUnknown
from engine.core.commands import CancelOrder, Command
from engine.core.queries import Query
from engine.core.replies import Done
from engine.pipeline import Pipeline, PipelineBroken
from engine.tests.envelopes import opened
from engine.wire import QUEUE_KEY, REPLY_CHANNEL, Replies, encode
from exchange_site.tests.processes import wait_until


def commands(count: int) -> list[Command]:
    return [CancelOrder(1, "ABCUSD", order_id=n) for n in range(count)]


class FakeClient:
    """Answers the oldest command when asked to, or each one at once."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.pushed: list[Command | Query] = []
        self.waiting: list[Future[Answer]] = []
        self.most_waiting = 0
        self.refuses = False
        self._at_once = at_once

    def send_all(self, messages: Sequence[Command | Query]) -> list[Future[Answer]]:
        if self.refuses:
            raise EngineUnavailable("full")
        self.pushed += messages
        futures: list[Future[Answer]] = [Future() for _ in messages]
        self.waiting += futures
        self.most_waiting = max(self.most_waiting, sum(not f.done() for f in self.waiting))
        if self._at_once:
            self.answer(len(futures))
        return futures

    def answer(self, count: int) -> None:
        for _ in range(count):
            self.waiting.pop(0).set_result(Answer(1, Done()))


def pipeline(client: FakeClient, **options: Any) -> Pipeline:
    return Pipeline(client, **options)  # type: ignore[arg-type]


def test_every_command_is_pushed_once_and_answered_in_order() -> None:
    client = FakeClient(at_once=True)
    line = pipeline(client, max_in_flight=7)
    answered = line.send(commands(3)) + line.send(commands(20)) + line.send([]) + line.drain()
    assert client.pushed == commands(3) + commands(20)
    assert [a.command for a in answered] == client.pushed
    assert line.drain() == []


def test_the_window_is_bounded() -> None:
    client = FakeClient()
    line = pipeline(client, max_in_flight=4)
    sending = threading.Thread(target=lambda: line.send(commands(10)), daemon=True)
    sending.start()

    def all_are_sent() -> bool:
        if client.waiting:
            client.answer(1)
        return len(client.pushed) == 10

    wait_until(all_are_sent, "all are sent", pause_s=0)
    sending.join()
    assert client.most_waiting == 4


def test_without_an_answer_the_status_is_unknown_and_nothing_more_is_sent() -> None:
    client = FakeClient()
    line = pipeline(client, timeout=0.01)
    line.send(commands(2))
    with pytest.raises(StatusUnknown):
        line.drain()
    assert all(future.cancelled() for future in client.waiting)
    for go_on in (line.drain, lambda: line.send(commands(1))):
        with pytest.raises(PipelineBroken):
            go_on()
    assert len(client.pushed) == 2


def test_a_refused_list_ends_the_pipeline() -> None:
    client = FakeClient()
    line = pipeline(client)
    client.refuses = True
    with pytest.raises(EngineUnavailable):
        line.send(commands(2))
    with pytest.raises(PipelineBroken):
        line.send(commands(2))


@pytest.fixture(scope="module")
def engine_client(servers: Any) -> Iterator[EngineClient]:
    client = EngineClient(servers.engine_redis_url)
    yield client
    client.close()


@pytest.fixture
def short_queue(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(intake, "MAX_QUEUE_LENGTH", 5)
    return 5


def test_a_list_stands_in_the_queue_in_order(
    engine_client: EngineClient, engine_redis: "redis.Redis"
) -> None:
    futures = engine_client.send_all(commands(4))
    envelopes = [opened(raw) for raw in engine_redis.lrange(QUEUE_KEY, 0, -1)]
    assert [message for _, message in envelopes] == commands(4)
    replies = Replies(9, 0, [(address.request_id, Done()) for address, _ in envelopes])
    engine_redis.publish(REPLY_CHANNEL + envelopes[0][0].reply_to, encode(replies))
    assert [future.result(5) for future in futures] == [Answer(9, Done())] * 4
    assert not engine_client._pending


def test_a_list_is_accepted_whole_or_not_at_all(
    engine_client: EngineClient, engine_redis: "redis.Redis", short_queue: int
) -> None:
    kept = engine_client.send_all(commands(3))
    with pytest.raises(EngineUnavailable):
        engine_client.send_all(commands(3))
    assert engine_redis.llen(QUEUE_KEY) == 3
    assert len(engine_client._pending) == 3
    kept += engine_client.send_all(commands(2))
    assert engine_redis.llen(QUEUE_KEY) == short_queue
    for future in kept:
        future.cancel()


def test_what_is_given_up_is_forgotten(
    engine_client: EngineClient, engine_redis: "redis.Redis"
) -> None:
    for future in engine_client.send_all(commands(3)):
        future.cancel()
    assert not engine_client._pending
