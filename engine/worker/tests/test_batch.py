"""A batch: how much fits, who is to blame, who is answered."""

import pytest

from engine.core.commands import CancelOrder, PlaceOrder
from engine.core.queries import GetBalances
from engine.core.tests.exchange import ALICE, BOB, LATE, MARKET, Exchange, order_terms
from engine.core.types import BUY
from engine.wire import MAX_MESSAGE_BYTES, decode_replies, encode_envelope
from engine.worker import batch as batch_module
from engine.worker.batch import Batch


def test_a_batch_ends_where_its_entry_would_grow_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "FULL_AT_EVENTS", 100)
    exchange = Exchange()
    exchange.fund(ALICE, ABC=1_000)
    exchange.fund(BOB, USD=10**6)
    for _ in range(200):
        exchange.sell(ALICE, 100, 1)
    order = PlaceOrder(order_terms(BOB, BUY, 100, 50), LATE)
    batch = Batch(exchange.engine, 0, 2_000)
    messages = [encode_envelope("somebody", number, order) for number in range(4)]
    assert batch.apply_all(messages) == 1
    assert Batch(exchange.engine, 1, 2_000).apply_all(messages[1:]) == 1


def test_a_query_is_not_blamed_for_the_command_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange()
    query = encode_envelope("somebody", 1, GetBalances(1))
    command = encode_envelope("somebody", 2, CancelOrder(1, MARKET, 1))

    def fail(_now: int) -> None:
        raise RuntimeError

    monkeypatch.setattr(exchange.engine, "advance", fail)
    batch = Batch(exchange.engine, 0, 2_000)
    with pytest.raises(RuntimeError):
        batch.apply_all([query, command])
    assert batch.applying is None


def test_who_says_too_much_is_answered() -> None:
    batch = Batch(Exchange().engine, 0, 2_000)
    message = encode_envelope("somebody", 7, CancelOrder(1, MARKET, 1)) + b" " * MAX_MESSAGE_BYTES
    batch.apply_all([message])
    (answer,) = decode_replies(batch.replies()["somebody"]).replies
    assert answer[0] == 7
