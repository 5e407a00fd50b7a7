"""An accepted order is told of shortly, and completed from its command."""

import pytest

from engine.core.acceptance import complete_event, complete_reply
from engine.core.answers import answer
from engine.core.commands import PlaceOrder
from engine.core.digest import encode_events
from engine.core.events import BalanceChanged, DepthChanged, OrderAccepted, OrderUpdated
from engine.core.queries import GetOrder
from engine.core.replies import Accepted
from engine.core.tests.exchange import ALICE, BOB, LATE, MARKET, Exchange, order_terms
from engine.core.types import ACCEPTED, BUY, IOC, SELL, OrderStatus, OrderType
from engine.journal import EncodedEntry
from engine.wire import encode


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=100, USD=10_000)
    exchange.fund(BOB, ABC=100, USD=10_000)
    return exchange


def test_an_order_that_stands_is_an_id_and_no_more(exchange: Exchange) -> None:
    command = PlaceOrder(order_terms(ALICE, SELL, 100, 5, client_order_id="mine"), LATE)
    reply, events = exchange.engine.apply(command)
    assert reply == Accepted(1, 1_000)
    assert [type(event) for event in events] == [OrderAccepted, DepthChanged, BalanceChanged]
    state = answer(exchange.engine, GetOrder(ALICE, MARKET, 1), 0)
    assert complete_reply(reply, command) == state
    completed = complete_event(events[0], command, 1_000)
    assert isinstance(completed, OrderUpdated)
    assert (completed.change, completed.order) == (ACCEPTED, complete_reply(reply, command).order)  # type: ignore[union-attr]
    assert [complete_event(event, command, 1_000) for event in events[1:]] == events[1:]


def test_one_that_waits_for_its_trigger_does_not_work_yet(exchange: Exchange) -> None:
    terms = order_terms(
        ALICE, SELL, None, 5, type=OrderType.STOP_LOSS, time_in_force=IOC, stop_price=90
    )
    command = PlaceOrder(terms, LATE)
    reply, _ = exchange.engine.apply(command)
    assert complete_reply(reply, command) == answer(exchange.engine, GetOrder(ALICE, MARKET, 1), 0)


def test_one_that_trades_is_told_with_its_fills(exchange: Exchange) -> None:
    exchange.sell(ALICE, 100, 5)
    command = PlaceOrder(order_terms(BOB, BUY, 100, 2), LATE)
    reply, events = exchange.engine.apply(command)
    assert complete_reply(reply, command) is reply
    accepted = complete_event(events[0], command, 1_000)
    assert isinstance(accepted, OrderUpdated)
    assert (accepted.order.status, accepted.order.executed_quantity) == (OrderStatus.NEW, 0)


def test_a_repeated_key_brings_the_time_of_the_first_answer(exchange: Exchange) -> None:
    command = PlaceOrder(order_terms(ALICE, SELL, 100, 5), LATE, "key")
    first, _ = exchange.engine.apply(command)
    exchange.wait_until(5_000)
    assert exchange.engine.apply(command) == (first, [])
    assert first == Accepted(1, 1_000)


def test_readers_of_the_journal_get_it_whole(exchange: Exchange) -> None:
    first = PlaceOrder(order_terms(ALICE, SELL, 100, 5), LATE)
    second = PlaceOrder(order_terms(BOB, BUY, 100, 2), LATE)
    lists = [[], *(exchange.engine.apply(command)[1] for command in (first, second))]
    entry = EncodedEntry(
        sequence=1,
        epoch=1,
        core=1,
        time=1_000,
        commands=encode([first, second]),
        events=encode_events(lists),
        digest="",
    )
    told = [
        (event.change.value, event.order.terms)
        for events in entry.decode_events()
        for event in events
        if isinstance(event, OrderUpdated)
    ]
    assert told == [
        ("accepted", first.terms),
        ("accepted", second.terms),
        ("traded", first.terms),
        ("traded", second.terms),
    ]
    assert entry.decode().events == entry.decode_events()
