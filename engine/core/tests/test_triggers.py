"""The tables "Triggers" and "Order lists" of docs/ORDERS.md."""

from typing import Any

import pytest

from engine.core.commands import AmendOrder, CancelOrder, ConfigureAccount, PlaceOrderList
from engine.core.events import OrderUpdated
from engine.core.tests.exchange import (
    ALICE,
    BOB,
    CAROL,
    LATE,
    MARKET,
    Exchange,
    assert_sound,
    order_of,
    order_terms,
)
from engine.core.types import (
    BUY,
    FOK,
    GTC,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    OrderType,
    Side,
)

# The last price is 100. type, side, stop price, trailing delta, last prices then | the one at
# which it triggers
TABLE = [
    (STOP_LOSS, SELL, 95, None, [96, 95], 95),
    (STOP_LOSS, SELL, 95, None, [104, 93], 93),
    (TAKE_PROFIT, SELL, 105, None, [95, 104, 105], 105),
    (STOP_LOSS, BUY, 105, None, [95, 104, 106], 106),
    (TAKE_PROFIT, BUY, 95, None, [105, 96, 94], 94),
    # trailing by 5 %, from the placing
    (STOP_LOSS, SELL, None, 500, [96, 95], 95),
    (STOP_LOSS, SELL, None, 500, [110, 105, 104], 104),  # 104.5, rounded down
    (TAKE_PROFIT, SELL, None, 500, [110, 105, 104], 104),
    (STOP_LOSS, BUY, None, 500, [104, 105], 105),
    (STOP_LOSS, BUY, None, 500, [90, 94, 95], 95),  # 94.5, rounded up
    (TAKE_PROFIT, BUY, None, 500, [90, 94, 95], 95),
    # trailing from when the stop price is reached
    (STOP_LOSS, SELL, 95, 500, [96, 95, 91, 90], 90),  # 90.25
    (STOP_LOSS, SELL, 95, 500, [120, 94, 100, 95], 95),
    (TAKE_PROFIT, SELL, 105, 500, [90, 105, 110, 104], 104),
    (STOP_LOSS, BUY, 105, 500, [90, 105, 100, 105], 105),
    (TAKE_PROFIT, BUY, 95, 500, [110, 95, 90, 95], 95),
]


def trade_at(exchange: Exchange, price: int) -> None:
    """The last price becomes this."""
    exchange.sell(ALICE, price, 1)
    exchange.buy(ALICE, price, 1)


def changes_of(exchange: Exchange, order_id: int) -> list[str]:
    events = [e for e in exchange.of_kind(OrderUpdated) if e.order.order_id == order_id]
    return [event.change.value for event in events]


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange()
    for account in (ALICE, BOB, CAROL):
        exchange.fund(account, ABC=1_000, USD=1_000_000)
    trade_at(exchange, 100)
    return exchange


@pytest.mark.parametrize("limited", [False, True], ids=["without a limit", "with a limit"])
@pytest.mark.parametrize(("kind", "side", "stop_price", "delta", "prices", "reached"), TABLE)
def test_trigger(
    exchange: Exchange,
    limited: bool,
    kind: OrderType,
    side: Side,
    stop_price: int | None,
    delta: int | None,
    prices: list[int],
    reached: int,
) -> None:
    terms: dict[str, Any] = {"type": kind, "stop_price": stop_price, "trailing_delta": delta}
    if limited:
        terms["type"] = {STOP_LOSS: STOP_LOSS_LIMIT, TAKE_PROFIT: TAKE_PROFIT_LIMIT}[kind]
        terms["time_in_force"] = GTC
    limit = (500 if side is BUY else 1) if limited else None
    order_id = order_of(exchange.place(BOB, side, limit, 3, **terms)).order.order_id
    for price in prices:
        assert "triggered" not in changes_of(exchange, order_id)
        trade_at(exchange, price)
    assert prices[-1] == reached
    assert "triggered" in changes_of(exchange, order_id)
    assert_sound(exchange.engine)


def test_rising_triggers_work_before_falling_ones_each_from_the_nearest(
    exchange: Exchange,
) -> None:
    """A trailing order counts with the price that triggers it; at one price the oldest is first."""
    trade_at(exchange, 110)
    far = exchange.sell(BOB, None, 1, type=STOP_LOSS, stop_price=95)
    near = exchange.sell(BOB, None, 1, type=STOP_LOSS, stop_price=105)
    trailing = exchange.sell(BOB, None, 1, type=STOP_LOSS, trailing_delta=1_000)  # at 99
    same = exchange.sell(CAROL, None, 1, type=STOP_LOSS, stop_price=105)
    trade_at(exchange, 90)
    triggered = [
        event.order.order_id
        for event in exchange.of_kind(OrderUpdated)
        if event.change.value == "triggered"
    ]
    expected = [order_of(reply).order.order_id for reply in (near, same, trailing, far)]
    assert triggered == expected


def test_a_triggered_orders_trades_trigger_more(exchange: Exchange) -> None:
    """One after the other, in one command, however long the chain."""
    length = 300
    for step in range(length):
        exchange.sell(ALICE, 101 + step, 1)
        stop = order_of(exchange.buy(BOB, None, 1, type=STOP_LOSS, stop_price=101 + step))
    exchange.sell(ALICE, 101 + length, 1)
    exchange.buy(CAROL, 101, 1)
    assert changes_of(exchange, stop.order.order_id) == ["accepted", "triggered", "traded"]
    assert exchange.depth()["asks"] == []


def test_a_stop_without_a_limit_buys_within_its_lock(exchange: Exchange) -> None:
    """5 % above its stop price: 105 + 5.25, on a tick."""
    stop = order_of(exchange.buy(BOB, None, 3, type=STOP_LOSS, stop_price=105))
    assert exchange.balance(BOB, "USD") == (1_000_000 - 3 * 110, 3 * 110)
    for price in (110, 111):
        exchange.sell(CAROL, price, 1)
    trade_at(exchange, 106)
    assert changes_of(exchange, stop.order.order_id) == [
        "accepted",
        "triggered",
        "traded",
        "expired",
    ]
    assert exchange.balance(BOB, "USD") == (1_000_000 - 110, 0)


def test_a_triggered_order_keeps_its_id_and_terms(exchange: Exchange) -> None:
    terms = {"type": STOP_LOSS_LIMIT, "stop_price": 105, "visible_quantity": 2}
    stop = order_of(exchange.buy(BOB, 104, 5, **terms))
    trade_at(exchange, 105)
    assert exchange.depth()["bids"] == [(104, 2)]
    assert order_of(exchange.cancel(BOB, order_id=stop.order.order_id)).order.terms.quantity == 5


def test_a_triggered_fok_order_is_filled_or_expires(exchange: Exchange) -> None:
    terms = {"type": STOP_LOSS_LIMIT, "stop_price": 105, "time_in_force": FOK}
    stop = order_of(exchange.buy(BOB, 104, 5, **terms))
    trade_at(exchange, 105)
    assert changes_of(exchange, stop.order.order_id) == ["accepted", "triggered", "expired"]


def test_a_frozen_accounts_order_expires_instead(exchange: Exchange) -> None:
    stop = order_of(exchange.buy(BOB, None, 3, type=STOP_LOSS, stop_price=105))
    exchange.do(ConfigureAccount(BOB, frozen=True))
    trade_at(exchange, 105)
    assert changes_of(exchange, stop.order.order_id) == ["accepted", "expired"]
    assert exchange.balance(BOB, "USD") == (1_000_000, 0)


def test_a_waiting_order_can_be_amended(exchange: Exchange) -> None:
    stop = order_of(exchange.buy(BOB, 110, 3, type=STOP_LOSS_LIMIT, stop_price=105))
    exchange.do(AmendOrder(BOB, MARKET, LATE, stop.order.order_id, price=120, quantity=5))
    assert exchange.balance(BOB, "USD") == (1_000_000 - 5 * 120, 5 * 120)
    assert "triggered" not in changes_of(exchange, stop.order.order_id)


def pair(exchange: Exchange) -> tuple[int, int]:
    """Bob sells 5: at 110, or when the price falls to 90. The ids of the two orders."""
    legs = (
        order_terms(BOB, SELL, 110, 5, post_only=True),
        order_terms(BOB, SELL, None, 5, type=STOP_LOSS, stop_price=90),
    )
    exchange.do(PlaceOrderList(legs, LATE))
    assert exchange.balance(BOB, "ABC") == (995, 5), "both legs lock once"
    last = exchange.engine.orders.last_order_id
    return last - 1, last


# what happens | the changes of the limit leg, of the stop leg, what of Bob's ABC is locked
LISTS: dict[str, tuple[Any, list[str], list[str], int]] = {
    "the limit trades": (lambda x: x.buy(CAROL, 110, 2), ["traded"], ["expired"], 3),
    "the stop triggers": (lambda x: trade_at(x, 90), ["expired"], ["triggered", "expired"], 0),
    "a leg is cancelled": (lambda x: cancel(x), ["canceled"], ["canceled"], 0),
}


def cancel(exchange: Exchange) -> None:
    exchange.do(CancelOrder(BOB, MARKET, exchange.engine.orders.last_order_id))


@pytest.mark.parametrize(
    ("happens", "limit_leg", "stop_leg", "locked"), LISTS.values(), ids=LISTS.keys()
)
def test_list(
    exchange: Exchange, happens: Any, limit_leg: list[str], stop_leg: list[str], locked: int
) -> None:
    limit, stop = pair(exchange)
    happens(exchange)
    assert changes_of(exchange, limit) == ["accepted", *limit_leg]
    assert changes_of(exchange, stop) == ["accepted", *stop_leg]
    assert exchange.balance(BOB, "ABC")[1] == locked
    assert_sound(exchange.engine)
