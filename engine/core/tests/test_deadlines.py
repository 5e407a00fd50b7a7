"""Orders that are good till a date, and the deadline that the worker waits for."""

from engine.core.deadlines import Deadline, Deadlines, Kind
from engine.core.tests.exchange import ALICE, BOB, MARKET, Exchange, order_of, restored
from engine.core.types import GTD, MAX_EVENTS


def funded() -> Exchange:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=1_000)
    exchange.fund(BOB, USD=1_000_000)
    return exchange


def test_an_order_expires_at_its_date() -> None:
    exchange = funded()
    assert exchange.engine.next_deadline() is None
    exchange.buy(BOB, 100, 2, time_in_force=GTD, good_till=3_000)
    assert exchange.engine.next_deadline() == 3_000
    exchange.wait_until(2_999)
    assert exchange.depth()["bids"] == [(100, 2)]
    exchange.wait_until(3_000)
    assert exchange.depth()["bids"] == []
    assert exchange.balance(BOB, "USD") == (1_000_000, 0)
    assert exchange.engine.next_deadline() is None
    expired = [e for e in exchange.events if hasattr(e, "order")][-1].order
    assert (expired.status.value, expired.updated_at) == ("expired", 3_000)


def test_what_ends_earlier_is_no_deadline_any_more() -> None:
    exchange = funded()
    filled = order_of(exchange.buy(BOB, 100, 2, time_in_force=GTD, good_till=3_000)).order
    cancelled = order_of(exchange.buy(BOB, 99, 2, time_in_force=GTD, good_till=4_000)).order
    exchange.sell(ALICE, 100, 2)
    exchange.cancel(BOB, order_id=cancelled.order_id)
    assert filled.order_id != cancelled.order_id
    assert exchange.engine.next_deadline() is None
    seen = len(exchange.events)
    exchange.wait_until(9_000)
    assert exchange.events[seen:] == []


def test_a_crowd_expires_in_bounded_ticks() -> None:
    """None of them trades after its date, unless they are more than one tick takes."""
    exchange = funded()
    exchange.fund(BOB, USD=10**6)
    for _ in range(MAX_EVENTS):
        exchange.buy(BOB, 100, 1, time_in_force=GTD, good_till=3_000)
    before = len(exchange.events)
    exchange.wait_until(3_000)
    assert MAX_EVENTS <= len(exchange.events) - before < MAX_EVENTS + 10
    assert exchange.engine.next_deadline() == 3_000, "the rest is due at once"
    exchange.wait_until(3_000)
    assert exchange.depth()["bids"] == []


def test_cancelled_orders_do_not_pile_up() -> None:
    deadlines = Deadlines()
    for order_id in range(10_000):
        deadline = Deadline(Kind.ORDER_EXPIRES, BOB, MARKET, order_id)
        deadlines.set(deadline, 5_000 + order_id)
        deadlines.discard(deadline)
    assert len(deadlines._heap) < 200
    assert deadlines.next() is None


def test_deadlines_survive_a_snapshot() -> None:
    exchange = funded()
    exchange.buy(BOB, 100, 2, time_in_force=GTD, good_till=3_000)
    assert restored(exchange.engine).next_deadline() == 3_000
