"""No command does more than a bounded part of a long work: the rest follows with the next ticks."""

from engine.core.commands import CancelAll, CancelAllAfter, SetPhase
from engine.core.events import OrderUpdated, Traded
from engine.core.replies import CanceledReply, Refused
from engine.core.tests.exchange import (
    ALICE,
    BOB,
    CAROL,
    MARKET,
    Exchange,
    assert_sound,
    code_of,
    restored,
)
from engine.core.types import OPEN, PRE_OPEN, STOP_LOSS

NOW = 1_000


def exchange_with_orders(count: int) -> Exchange:
    """Alice sells `count` times 1 at 100."""
    exchange = Exchange()
    exchange.fund(ALICE, ABC=count + 10, USD=10**9)
    exchange.fund(BOB, ABC=10**6, USD=10**9)
    for _ in range(count):
        exchange.sell(ALICE, 100, 1)
    return exchange


def standing(exchange: Exchange) -> int:
    return sum(quantity for _, quantity in exchange.depth()["asks"])


def test_cancel_all_cancels_a_thousand_at_once() -> None:
    exchange = exchange_with_orders(2_500)
    reply = exchange.do(CancelAll(ALICE, MARKET))
    assert isinstance(reply, CanceledReply)
    assert (len(reply.orders), reply.more) == (1_000, 1_500)
    assert exchange.engine.next_deadline() == NOW, "there is more to do at once"

    exchange.sell(ALICE, 100, 7)  # placed later: it stays
    exchange.wait_until(NOW)
    assert standing(exchange) == 507
    exchange.wait_until(NOW)
    assert standing(exchange) == 7
    assert exchange.engine.next_deadline() is None
    assert_sound(exchange.engine)


def test_a_timer_cancels_a_thousand_at_once() -> None:
    exchange = exchange_with_orders(2_001)
    exchange.do(CancelAllAfter(ALICE, 5))
    exchange.wait_until(NOW + 5)
    assert exchange.engine.next_deadline() == NOW + 5
    exchange.wait_until(NOW + 5)
    assert standing(exchange) == 0


def test_an_auction_trades_five_thousand_times_at_once() -> None:
    """Until it is through, the market stays in its phase, and its book as it is."""
    exchange = Exchange()
    exchange.fund(ALICE, ABC=10**6)
    exchange.fund(BOB, USD=10**9)
    exchange.do(SetPhase(MARKET, PRE_OPEN))
    for _ in range(5_001):
        exchange.sell(ALICE, 100, 1)
    exchange.buy(BOB, 100, 6_000, client_order_id="large")
    exchange.do(SetPhase(MARKET, OPEN))
    assert len(exchange.of_kind(Traded)) == 5_000
    market = exchange.engine.markets.get(MARKET)
    assert market is not None
    assert market.phase is PRE_OPEN
    for attempt in (
        exchange.buy(BOB, 90, 1),
        exchange.cancel(BOB, client_order_id="large"),
        exchange.do(SetPhase(MARKET, OPEN)),
    ):
        assert isinstance(attempt, Refused)
        assert code_of(attempt).value == "PHASE_FORBIDS"

    exchange.engine = restored(exchange.engine)  # a restart in between changes nothing
    exchange.wait_until(NOW)
    market = exchange.engine.markets.get(MARKET)
    assert market is not None
    assert market.phase is OPEN
    assert len(exchange.of_kind(Traded)) == 5_001
    assert exchange.depth() == {"bids": [(100, 999)], "asks": []}
    assert_sound(exchange.engine)


def test_triggered_orders_pause_after_ten_thousand_events() -> None:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=10**6)
    exchange.fund(BOB, USD=10**9)
    exchange.fund(CAROL, USD=10**9)
    exchange.sell(ALICE, 100, 1)
    exchange.buy(CAROL, 100, 1)
    for _ in range(2_000):
        exchange.buy(BOB, None, 1, type=STOP_LOSS, stop_price=105)
    for _ in range(3_000):
        exchange.sell(ALICE, 105, 1)
    exchange.events.clear()
    exchange.buy(CAROL, 105, 1)
    first = len(exchange.events)
    triggered = [e for e in exchange.of_kind(OrderUpdated) if e.change.value == "triggered"]
    assert 10_000 <= first < 10_100
    assert len(triggered) < 2_000
    assert exchange.engine.next_deadline() == NOW
    exchange.wait_until(NOW)
    triggered = [e for e in exchange.of_kind(OrderUpdated) if e.change.value == "triggered"]
    assert len(triggered) == 2_000
    assert exchange.engine.next_deadline() is None
    assert_sound(exchange.engine)
