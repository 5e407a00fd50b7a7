"""The same commands at the same times: the same events, digest and state; and no garbage."""

import gc
from random import Random

from engine.core.commands import CancelOrder
from engine.core.digest import GENESIS, encode_events, roll
from engine.core.events import Event
from engine.core.replies import OrderReply
from engine.core.snapshot import state_hash, take_snapshot
from engine.core.tests.exchange import ALICE, BOB, Exchange, restored
from engine.core.types import BUY, SELL


def trade_at_random(exchange: Exchange, seed: int, orders: int = 500) -> None:
    chance = Random(seed)
    for account in (ALICE, BOB):
        exchange.fund(account, ABC=10_000, USD=1_000_000)
    for _ in range(orders):
        account, side = chance.choice((ALICE, BOB)), chance.choice((BUY, SELL))
        reply = exchange.place(account, side, chance.randint(95, 105), chance.randint(1, 9))
        if isinstance(reply, OrderReply) and chance.random() < 0.3:
            exchange.cancel(account, order_id=reply.order.order_id)


def digest_of(events: list[Event]) -> str:
    return roll(GENESIS, b"[]", encode_events(events))


def test_two_engines_do_the_same() -> None:
    first, second = Exchange(), Exchange()
    trade_at_random(first, seed=1)
    trade_at_random(second, seed=1)
    assert digest_of(first.events) == digest_of(second.events)
    assert take_snapshot(first.engine) == take_snapshot(second.engine)
    assert state_hash(first.engine) == state_hash(second.engine)


def test_another_future_has_another_digest_and_hash() -> None:
    first, second = Exchange(), Exchange()
    trade_at_random(first, seed=1)
    trade_at_random(second, seed=2)
    assert digest_of(first.events) != digest_of(second.events)
    assert state_hash(first.engine) != state_hash(second.engine)


def test_a_restored_engine_has_the_same_future() -> None:
    exchange = Exchange()
    trade_at_random(exchange, seed=1)
    twin = Exchange()
    twin.engine, twin.events = restored(exchange.engine), []
    seen = len(exchange.events)
    for each in (exchange, twin):
        each.buy(ALICE, 103, 50, client_order_id="a")
        each.sell(BOB, 97, 80)
        each.do(CancelOrder(ALICE, "ABCUSD", client_order_id="a"))
    assert twin.events == exchange.events[seen:]
    assert take_snapshot(twin.engine) == take_snapshot(exchange.engine)


def test_the_core_leaves_no_cyclic_garbage() -> None:
    """The engine process runs without the garbage collector."""
    exchange = Exchange()
    trade_at_random(exchange, seed=1, orders=50)
    gc.collect()
    gc.disable()
    try:
        trade_at_random(exchange, seed=2, orders=2_000)
        assert gc.collect() == 0
    finally:
        gc.enable()
