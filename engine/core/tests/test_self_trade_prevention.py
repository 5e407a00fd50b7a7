"""The table "Self-trade prevention" of docs/ORDERS.md, by mode and time in force."""

import pytest

from engine.core.commands import ConfigureAccount
from engine.core.events import OrderState, OrderUpdated
from engine.core.tests.exchange import ALICE, BOB, CAROL, Exchange, assert_sound
from engine.core.types import (
    BUY,
    DECREMENT,
    EXPIRE_BOTH,
    EXPIRE_MAKER,
    EXPIRE_TAKER,
    FOK,
    GTC,
    IOC,
    NO_PREVENTION,
    SELL,
    SelfTradePrevention,
    TimeInForce,
)

State = tuple[str, int, int]
"""Status, executed quantity, prevented quantity."""

UNTOUCHED = ("new", 0, 0)

# In the book: an own order to sell 5 at 100, behind it another's to sell 5 at 101.
# mode, time in force, bought at 101 | the own order, the arriving one
TABLE: list[tuple[SelfTradePrevention, TimeInForce, int, State, State]] = [
    (NO_PREVENTION, GTC, 8, ("filled", 5, 0), ("filled", 8, 0)),
    (EXPIRE_TAKER, GTC, 8, UNTOUCHED, ("expired", 0, 8)),
    (EXPIRE_MAKER, GTC, 8, ("expired", 0, 5), ("partially_filled", 5, 0)),
    (EXPIRE_BOTH, GTC, 8, ("expired", 0, 5), ("expired", 0, 8)),
    (DECREMENT, GTC, 8, ("expired", 0, 5), ("filled", 3, 5)),
    (DECREMENT, GTC, 12, ("expired", 0, 5), ("partially_filled", 5, 5)),
    (DECREMENT, GTC, 3, ("new", 0, 3), ("expired", 0, 3)),
    (DECREMENT, GTC, 5, ("expired", 0, 5), ("expired", 0, 5)),
    # immediate or cancel: the same, and what would stand expires
    (NO_PREVENTION, IOC, 12, ("filled", 5, 0), ("expired", 10, 0)),
    (EXPIRE_TAKER, IOC, 8, UNTOUCHED, ("expired", 0, 8)),
    (EXPIRE_MAKER, IOC, 8, ("expired", 0, 5), ("expired", 5, 0)),
    (EXPIRE_BOTH, IOC, 8, ("expired", 0, 5), ("expired", 0, 8)),
    (DECREMENT, IOC, 12, ("expired", 0, 5), ("expired", 5, 5)),
    # fill or kill: counts what it would really trade
    (NO_PREVENTION, FOK, 8, ("filled", 5, 0), ("filled", 8, 0)),
    (EXPIRE_TAKER, FOK, 5, UNTOUCHED, ("expired", 0, 0)),
    (EXPIRE_MAKER, FOK, 8, UNTOUCHED, ("expired", 0, 0)),
    (EXPIRE_MAKER, FOK, 5, ("expired", 0, 5), ("filled", 5, 0)),
    (EXPIRE_BOTH, FOK, 5, UNTOUCHED, ("expired", 0, 0)),
    (DECREMENT, FOK, 5, UNTOUCHED, ("expired", 0, 0)),
]


def last_states(exchange: Exchange) -> dict[int, OrderState]:
    return {event.order.order_id: event.order for event in exchange.of_kind(OrderUpdated)}


def state_of(exchange: Exchange, order_id: int) -> State:
    order = last_states(exchange)[order_id]
    return order.status.value, order.executed_quantity, order.prevented_quantity


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange()
    for account in (ALICE, BOB, CAROL):
        exchange.fund(account, ABC=100, USD=10_000)
    return exchange


@pytest.mark.parametrize("in_a_group", [False, True], ids=["one account", "one trade group"])
@pytest.mark.parametrize(("mode", "lifetime", "quantity", "standing", "arriving"), TABLE)
def test_mode(
    exchange: Exchange,
    in_a_group: bool,
    mode: SelfTradePrevention,
    lifetime: TimeInForce,
    quantity: int,
    standing: State,
    arriving: State,
) -> None:
    owner = ALICE
    if in_a_group:
        owner = CAROL
        for account in (ALICE, CAROL):
            exchange.do(ConfigureAccount(account, trade_group=7))
    exchange.sell(owner, 100, 5)
    exchange.sell(BOB, 101, 5)
    terms = {"time_in_force": lifetime, "self_trade_prevention": mode}
    exchange.buy(ALICE, 101, quantity, **terms)
    assert state_of(exchange, 1) == standing
    assert state_of(exchange, 3) == arriving
    assert_sound(exchange.engine)


def test_orders_of_others_trade_whatever_the_mode(exchange: Exchange) -> None:
    exchange.do(ConfigureAccount(ALICE, trade_group=7))
    exchange.do(ConfigureAccount(BOB, trade_group=8))
    exchange.sell(BOB, 100, 5)
    exchange.buy(ALICE, 100, 5, self_trade_prevention=EXPIRE_BOTH)
    assert state_of(exchange, 2) == ("filled", 5, 0)


def test_the_arriving_order_decides(exchange: Exchange) -> None:
    exchange.sell(ALICE, 100, 5, self_trade_prevention=EXPIRE_BOTH)
    exchange.buy(ALICE, 100, 5)
    assert state_of(exchange, 1) == state_of(exchange, 2) == ("filled", 5, 0)


def test_what_stood_before_the_own_order_trades(exchange: Exchange) -> None:
    exchange.sell(BOB, 99, 2)
    exchange.sell(ALICE, 100, 5)
    exchange.buy(ALICE, 100, 8, self_trade_prevention=EXPIRE_TAKER)
    assert state_of(exchange, 1) == ("filled", 2, 0)
    assert state_of(exchange, 2) == UNTOUCHED
    assert state_of(exchange, 3) == ("expired", 2, 6)


def test_a_market_order_by_quote_amount_loses_the_amount_at_the_price(exchange: Exchange) -> None:
    """Of 1,000 it loses 5 at 100; for the other 500 it gets 4 at 101."""
    exchange.sell(ALICE, 100, 5)
    exchange.sell(BOB, 101, 9)
    exchange.buy(ALICE, None, None, quote_quantity=1_000, self_trade_prevention=DECREMENT)
    assert state_of(exchange, 3) == ("filled", 4, 5)
    assert last_states(exchange)[3].executed_quote_quantity == 404


@pytest.mark.parametrize("side", [BUY, SELL])
def test_what_a_decremented_order_locked_is_given_back(exchange: Exchange, side: object) -> None:
    if side is BUY:
        exchange.buy(ALICE, 100, 5)
        exchange.sell(ALICE, 100, 2, self_trade_prevention=DECREMENT)
        assert exchange.balance(ALICE, "USD") == (9_700, 300)
    else:
        exchange.sell(ALICE, 100, 5)
        exchange.buy(ALICE, 100, 2, self_trade_prevention=DECREMENT)
        assert exchange.balance(ALICE, "ABC") == (97, 3)
    assert_sound(exchange.engine)
