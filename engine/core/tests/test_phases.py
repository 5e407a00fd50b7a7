"""The table "Phases" of docs/ORDERS.md: what each phase makes of each order and change."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.core.commands import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    PlaceOrderList,
    SetPhase,
)
from engine.core.events import OrderUpdated
from engine.core.replies import CanceledReply, OrderListReply, OrderReply, Refused, Reply
from engine.core.tests.exchange import (
    ALICE,
    BOB,
    LATE,
    MARKET,
    Exchange,
    assert_sound,
    order_terms,
)
from engine.core.types import (
    CANCEL_ONLY,
    CLOSED,
    FOK,
    GTD,
    HALTED,
    IOC,
    OPEN,
    POST_ONLY,
    PRE_OPEN,
    SELL,
    STOP_LOSS,
    TAKE_PROFIT_LIMIT,
    Phase,
)

STANDING = 5
"""Bob's order to buy 5 at 90; Alice's to sell 5 at 100 is the other one in the book."""

PHASES = (PRE_OPEN, OPEN, POST_ONLY, CANCEL_ONLY, HALTED, CLOSED)

Act = Callable[[Exchange], Reply]


def crossing(**terms: Any) -> Act:
    return lambda x: x.buy(BOB, 100, 5, **terms)


def aside(**terms: Any) -> Act:
    return lambda x: x.buy(BOB, 99, 5, **terms)


def stop(**terms: Any) -> Act:
    return lambda x: x.sell(BOB, None, 5, type=STOP_LOSS, **terms)


def pair(x: Exchange, **limit: Any) -> Reply:
    """A stop at 80, and above the last price an order to take the profit."""
    legs = (
        order_terms(BOB, SELL, None, 5, type=STOP_LOSS, stop_price=80),
        order_terms(BOB, SELL, 110, 5, **limit),
    )
    return x.do(PlaceOrderList(legs, LATE))


def amend(price: int) -> Act:
    return lambda x: x.do(AmendOrder(BOB, MARKET, LATE, STANDING, price=price))


R, W = "refused", "would take"
TABLE: dict[str, tuple[Act, tuple[str, ...]]] = {
    #                                         pre_open  open      post_only cancel  halted  closed
    "limit gtc": (crossing(), ("stands", "trades", W, R, R, R)),
    "limit gtc, aside": (aside(), ("stands", "stands", "stands", R, R, R)),
    "limit gtd": (crossing(time_in_force=GTD, good_till=2_000), ("stands", "trades", W, R, R, R)),
    "iceberg": (crossing(visible_quantity=2), ("stands", "trades", W, R, R, R)),
    "limit post_only": (crossing(post_only=True), (R, W, W, R, R, R)),
    "limit post_only, aside": (aside(post_only=True), (R, "stands", "stands", R, R, R)),
    "limit ioc": (crossing(time_in_force=IOC), (R, "trades", R, R, R, R)),
    "limit fok": (crossing(time_in_force=FOK), (R, "trades", R, R, R, R)),
    "market": (lambda x: x.buy(BOB, None, 5), (R, "trades", R, R, R, R)),
    "market by quote": (
        lambda x: x.buy(BOB, None, None, quote_quantity=500),
        (R, "trades", R, R, R, R),
    ),
    "conditional": (stop(stop_price=80), ("waits", "waits", "waits", R, R, R)),
    "trailing": (stop(trailing_delta=100), ("waits", "waits", "waits", R, R, R)),
    "list of two conditionals": (
        lambda x: pair(x, type=TAKE_PROFIT_LIMIT, stop_price=110),
        ("waits", "waits", "waits", R, R, R),
    ),
    "list with a post-only leg": (
        lambda x: pair(x, post_only=True),
        (R, "waits", "waits", R, R, R),
    ),
    "amend, crossing": (amend(100), ("stands", "trades", W, R, R, R)),
    "amend": (amend(91), ("stands", "stands", "stands", R, R, R)),
    "cancel": (
        lambda x: x.cancel(BOB, order_id=STANDING),
        ("ends", "ends", "ends", "ends", R, "ends"),
    ),
    "cancel all": (
        lambda x: x.do(CancelAll(BOB, MARKET)),
        ("ends", "ends", "ends", "ends", R, "ends"),
    ),
}
CELLS = [
    pytest.param(act, phase, outcome, id=f"{row}-{phase.value}")
    for row, (act, outcomes) in TABLE.items()
    for phase, outcome in zip(PHASES, outcomes, strict=True)
]


@pytest.fixture
def exchange() -> Exchange:
    """Last price 100; Alice asks 100 for 5, Bob bids 90 for 5."""
    exchange = Exchange()
    exchange.fund(ALICE, ABC=100, USD=10_000)
    exchange.fund(BOB, ABC=100, USD=10_000)
    exchange.sell(ALICE, 100, 1)
    exchange.buy(BOB, 100, 1)
    exchange.buy(BOB, 90, 1)
    exchange.sell(ALICE, 100, 5)
    exchange.buy(BOB, 90, 5)
    return exchange


def outcome_of(exchange: Exchange, reply: Reply) -> str:
    if isinstance(reply, Refused):
        return {"PHASE_FORBIDS": R, "WOULD_TAKE": W}[reply.code.value]
    if isinstance(reply, CanceledReply):
        return "ends"
    orders = reply.orders if isinstance(reply, OrderListReply) else ()
    if isinstance(reply, OrderReply):
        orders = (reply.order,)
    if any(order.working_since is None for order in orders):
        return "waits"
    (order,) = orders
    return {"filled": "trades", "new": "stands", "canceled": "ends"}[order.status.value]


@pytest.mark.parametrize(("act", "phase", "outcome"), CELLS)
def test_phase(exchange: Exchange, act: Act, phase: Phase, outcome: str) -> None:
    exchange.do(SetPhase(MARKET, phase))
    assert outcome_of(exchange, act(exchange)) == outcome
    assert_sound(exchange.engine)


@pytest.mark.parametrize("phase", PHASES)
def test_good_till_and_timers_act(exchange: Exchange, phase: Phase) -> None:
    exchange.buy(BOB, 95, 1, time_in_force=GTD, good_till=1_500)
    exchange.do(CancelAllAfter(ALICE, 500))
    exchange.do(SetPhase(MARKET, phase))
    exchange.wait_until(1_500)
    assert exchange.depth() == {"bids": [(90, 6)], "asks": []}


@pytest.mark.parametrize("phase", PHASES)
def test_triggered_orders_trade_while_the_market_is_open(phase: Phase) -> None:
    """One triggers just before the volatility guard pauses the market."""
    exchange = Exchange(guard_ppm=100_000)
    exchange.fund(ALICE, ABC=100)
    exchange.fund(BOB, USD=10_000)
    for price in (100, 105, 120):
        exchange.sell(ALICE, price, 1)
    exchange.buy(BOB, 100, 1)
    exchange.buy(BOB, None, 1, type=STOP_LOSS, stop_price=105)
    exchange.buy(BOB, None, 2)
    assert market_phase(exchange) is PRE_OPEN
    exchange.sell(ALICE, 106, 1)
    exchange.do(SetPhase(MARKET, phase))
    changes = [e.change.value for e in exchange.of_kind(OrderUpdated) if e.order.order_id == 5]
    expected = ["accepted", "triggered", "traded"] if phase is OPEN else ["accepted"]
    assert changes == expected


def market_phase(exchange: Exchange) -> Phase:
    market = exchange.engine.markets.get(MARKET)
    assert market is not None
    return market.phase
