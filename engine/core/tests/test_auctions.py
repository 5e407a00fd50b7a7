"""Auctions: the clearing price against brute force over every tick, and who trades what."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.commands import SetPhase
from engine.core.events import OrderUpdated, Traded
from engine.core.tests.exchange import ALICE, BOB, CAROL, MARKET, RULES, Exchange, assert_sound
from engine.core.tests.naive.market import clearing_price
from engine.core.types import (
    BUY,
    EXPIRE_BOTH,
    MAKER,
    OPEN,
    POST_ONLY,
    PRE_OPEN,
    SELL,
    STOP_LOSS,
    Side,
)

Orders = list[tuple[Side, int, int]]
"""Side, price, quantity."""

# orders in the call, tick, last price | price and volume
MOST = "b 105 10, b 100 10, s 95 10, s 100 10"
TABLE = [
    ("greatest volume", MOST, 1, 100, 100, 20),
    ("greatest volume, whatever the last price", MOST, 1, 105, 100, 20),
    ("smallest surplus", "b 102 10, s 98 6, s 101 4", 1, 98, 101, 10),
    ("nearest to the last price", "b 110 5, s 90 5", 1, 97, 97, 5),
    ("at most the best bid", "b 110 5, s 90 5", 1, 150, 110, 5),
    ("at least the best ask", "b 110 5, s 90 5", 1, 50, 90, 5),
    ("two equally near: the lower", "b 150 5, s 50 5", 10, 105, 100, 5),
    ("no last price: the middle, rounded down", "b 110 5, s 85 5", 5, None, 95, 5),
    ("a surplus stays in the book", "b 100 8, s 100 5", 1, 100, 100, 5),
]


def in_a_call(orders: Orders, last_price: int | None, tick: int = 1) -> Exchange:
    """Everybody has plenty; the orders stand in a market that is about to open."""
    exchange = Exchange()
    for account in (ALICE, BOB, CAROL):
        exchange.fund(account, ABC=10_000, USD=10_000_000)
    if last_price is not None:
        exchange.sell(CAROL, last_price, 1)
        exchange.buy(CAROL, last_price, 1)
    exchange.do(msgspec.structs.replace(RULES, tick=tick))  # the last price may be off it now
    exchange.do(SetPhase(MARKET, PRE_OPEN))
    for side, price, quantity in orders:
        exchange.place(ALICE if side is BUY else BOB, side, price, quantity)
    exchange.events.clear()
    return exchange


def parsed(orders: str) -> Orders:
    rows = [row.split() for row in orders.split(", ")]
    return [(BUY if side == "b" else SELL, int(price), int(size)) for side, price, size in rows]


def traded(exchange: Exchange) -> list[tuple[int, int]]:
    """`(price, quantity)` of each trade."""
    return [(trade.price, trade.quantity) for trade in exchange.of_kind(Traded)]


@pytest.mark.parametrize(
    ("orders", "tick", "last_price", "price", "volume"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_clearing_price(
    orders: str, tick: int, last_price: int | None, price: int, volume: int
) -> None:
    exchange = in_a_call(parsed(orders), last_price, tick)
    exchange.do(SetPhase(MARKET, OPEN))
    trades = traded(exchange)
    assert {each for each, _ in trades} == {price}
    assert sum(quantity for _, quantity in trades) == volume
    assert_sound(exchange.engine)


@settings(max_examples=max(300, settings().max_examples))
@given(
    orders=st.lists(
        st.tuples(st.sampled_from([BUY, SELL]), st.integers(-15, 15), st.integers(1, 5)),
        max_size=14,
    ),
    last_price=st.none() | st.integers(15, 400),
    tick=st.sampled_from([1, 2, 5]),
)
def test_no_tick_clears_better(orders: Orders, last_price: int | None, tick: int) -> None:
    """Every tick that there is, from far below the orders to far above, is tried."""
    orders = [(side, (40 + ticks) * tick, quantity) for side, ticks, quantity in orders]
    exchange = in_a_call(orders, last_price, tick)
    exchange.do(SetPhase(MARKET, OPEN))

    bids = [(price, quantity) for side, price, quantity in orders if side is BUY]
    asks = [(price, quantity) for side, price, quantity in orders if side is SELL]
    best_bid, best_ask = max(bids, default=(0, 0))[0], min(asks, default=(10**9, 0))[0]
    if best_bid < best_ask:
        assert traded(exchange) == []
        return
    middle = (best_bid + best_ask) // 2 // tick * tick
    price = clearing_price(bids, asks, range(tick, 80 * tick, tick), last_price or middle)
    volume = min(
        sum(quantity for limit, quantity in bids if limit >= price),
        sum(quantity for limit, quantity in asks if limit <= price),
    )
    assert {each for each, _ in traded(exchange)} == {price}
    assert sum(quantity for _, quantity in traded(exchange)) == volume
    assert_sound(exchange.engine)


def test_best_price_first_then_the_oldest() -> None:
    exchange = in_a_call(parsed("b 100 5, b 101 5, b 100 5, s 99 12"), 100)
    exchange.do(SetPhase(MARKET, OPEN))
    assert [trade.buy_order_id for trade in exchange.of_kind(Traded)] == [4, 3, 5]
    assert exchange.depth() == {"bids": [(100, 3)], "asks": []}


def test_icebergs_trade_with_all_they_have() -> None:
    exchange = in_a_call([], 100)
    exchange.sell(BOB, 100, 9, visible_quantity=2)
    exchange.buy(ALICE, 100, 7)
    exchange.do(SetPhase(MARKET, OPEN))
    assert traded(exchange) == [(100, 7)]
    assert exchange.depth() == {"bids": [], "asks": [(100, 2)]}


def test_self_trades_are_not_prevented() -> None:
    exchange = in_a_call([], 100)
    exchange.sell(ALICE, 100, 5, self_trade_prevention=EXPIRE_BOTH)
    exchange.buy(ALICE, 100, 5, self_trade_prevention=EXPIRE_BOTH)
    exchange.do(SetPhase(MARKET, OPEN))
    assert traded(exchange) == [(100, 5)]


def test_both_sides_pay_the_makers_fee() -> None:
    exchange = Exchange(maker_fee_ppm=100_000, taker_fee_ppm=200_000)
    exchange.fund(ALICE, USD=10_000)
    exchange.fund(BOB, ABC=100)
    exchange.do(SetPhase(MARKET, PRE_OPEN))
    exchange.buy(ALICE, 100, 10)
    exchange.sell(BOB, 100, 10)
    exchange.do(SetPhase(MARKET, OPEN))
    assert exchange.balance(ALICE, "ABC") == (9, 0)
    assert exchange.balance(BOB, "USD") == (900, 0)
    fills = [event.fill for event in exchange.of_kind(OrderUpdated) if event.fill is not None]
    assert [fill.liquidity for fill in fills] == [MAKER, MAKER]


def test_a_buyer_gets_back_what_was_locked_above_the_price() -> None:
    exchange = in_a_call(parsed("b 110 10, s 90 4"), 95)
    exchange.do(SetPhase(MARKET, OPEN))
    spent, locked = 4 * 95, 6 * 110
    assert exchange.balance(ALICE, "USD") == (10_000_000 - spent - locked, locked)


def test_it_triggers_orders_which_trade_once_the_market_is_open() -> None:
    exchange = in_a_call(parsed("b 105 5, s 105 5, s 108 2"), 100)
    exchange.buy(CAROL, None, 2, type=STOP_LOSS, stop_price=104)
    exchange.do(SetPhase(MARKET, POST_ONLY))
    assert traded(exchange) == [(105, 5)]
    exchange.do(SetPhase(MARKET, OPEN))
    assert traded(exchange) == [(105, 5), (108, 2)]


def test_a_call_ends_by_itself() -> None:
    exchange = in_a_call(parsed("b 100 5, s 100 5"), None)
    exchange.do(SetPhase(MARKET, PRE_OPEN, until=1_500))
    exchange.wait_until(1_499)
    assert traded(exchange) == []
    exchange.wait_until(1_500)
    assert traded(exchange) == [(100, 5)]
