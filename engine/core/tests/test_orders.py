"""What becomes of an order, by type, time in force and book. Read as a table."""

from typing import Any

import pytest

from engine.core.liquidity import MAX_FILLS
from engine.core.tests.exchange import ALICE, BOB, Exchange, assert_sound, fills_of, order_of
from engine.core.types import BUY, FOK, GTC, IOC, SELL, Side

ASKS = [(101, 2), (101, 3), (102, 5)]
BIDS = [(99, 2), (99, 3), (98, 5)]

# side, price, quantity, options | status, fills, rest in the book at the order's price
TABLE = [
    # limit, good till cancelled
    (BUY, 100, 4, {}, "new", [], 4),
    (BUY, 101, 2, {}, "filled", [(101, 2)], 0),
    (BUY, 101, 4, {}, "filled", [(101, 2), (101, 2)], 0),
    (BUY, 101, 7, {}, "partially_filled", [(101, 2), (101, 3)], 2),
    (BUY, 150, 7, {}, "filled", [(101, 2), (101, 3), (102, 2)], 0),
    (BUY, 150, 12, {}, "partially_filled", [(101, 2), (101, 3), (102, 5)], 2),
    (SELL, 100, 4, {}, "new", [], 4),
    (SELL, 99, 4, {}, "filled", [(99, 2), (99, 2)], 0),
    (SELL, 1, 12, {}, "partially_filled", [(99, 2), (99, 3), (98, 5)], 2),
    # limit, immediate or cancel: what does not trade expires
    (BUY, 100, 4, {"time_in_force": IOC}, "expired", [], 0),
    (BUY, 101, 7, {"time_in_force": IOC}, "expired", [(101, 2), (101, 3)], 0),
    (SELL, 99, 5, {"time_in_force": IOC}, "filled", [(99, 2), (99, 3)], 0),
    # limit, fill or kill: all or nothing
    (BUY, 101, 6, {"time_in_force": FOK}, "expired", [], 0),
    (BUY, 102, 6, {"time_in_force": FOK}, "filled", [(101, 2), (101, 3), (102, 1)], 0),
    (SELL, 99, 6, {"time_in_force": FOK}, "expired", [], 0),
    (SELL, 98, 10, {"time_in_force": FOK}, "filled", [(99, 2), (99, 3), (98, 5)], 0),
    # limit, post-only: stands, or is refused (test_rejections.py)
    (BUY, 100, 4, {"post_only": True}, "new", [], 4),
    (SELL, 100, 4, {"post_only": True}, "new", [], 4),
    # market by quantity
    (BUY, None, 6, {}, "filled", [(101, 2), (101, 3), (102, 1)], 0),
    (BUY, None, 99, {}, "expired", [(101, 2), (101, 3), (102, 5)], 0),
    (SELL, None, 6, {}, "filled", [(99, 2), (99, 3), (98, 1)], 0),
    (SELL, None, 6, {"time_in_force": FOK}, "filled", [(99, 2), (99, 3), (98, 1)], 0),
    (SELL, None, 99, {"time_in_force": FOK}, "expired", [], 0),
    # market by quote amount: filled when the rest buys no step
    (BUY, None, None, {"quote_quantity": 404}, "filled", [(101, 2), (101, 2)], 0),
    (BUY, None, None, {"quote_quantity": 505}, "filled", [(101, 2), (101, 3)], 0),
    (BUY, None, None, {"quote_quantity": 606}, "filled", [(101, 2), (101, 3)], 0),
    (BUY, None, None, {"quote_quantity": 607}, "filled", [(101, 2), (101, 3), (102, 1)], 0),
    (BUY, None, None, {"quote_quantity": 1015}, "filled", [(101, 2), (101, 3), (102, 5)], 0),
    (BUY, None, None, {"quote_quantity": 9999}, "expired", [(101, 2), (101, 3), (102, 5)], 0),
]


@pytest.mark.parametrize(("side", "price", "quantity", "options", "status", "fills", "rest"), TABLE)
def test_order(
    side: Side,
    price: int | None,
    quantity: int | None,
    options: dict[str, Any],
    status: str,
    fills: list[tuple[int, int]],
    rest: int,
) -> None:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=1_000, USD=100_000)
    exchange.fund(BOB, ABC=1_000, USD=100_000)
    for level_price, level_quantity in ASKS:
        exchange.sell(ALICE, level_price, level_quantity)
    for level_price, level_quantity in BIDS:
        exchange.buy(ALICE, level_price, level_quantity)

    reply = exchange.place(BOB, side, price, quantity, **options)

    order = order_of(reply).order
    assert order.status.value == status
    assert fills_of(reply) == fills
    assert order.executed_quantity == sum(filled for _, filled in fills)
    assert order.executed_quote_quantity == sum(p * filled for p, filled in fills)
    levels = dict(exchange.depth()["bids" if side is BUY else "asks"])
    assert levels.get(price or 0, 0) == rest
    assert_sound(exchange.engine)


def test_a_market_order_on_an_empty_book_expires() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=100)
    assert order_of(exchange.buy(BOB, None, 5)).order.status.value == "expired"
    assert exchange.balance(BOB, "USD") == (100, 0)


def test_the_oldest_order_of_a_level_trades_first() -> None:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=10)
    exchange.fund(BOB, USD=10_000)
    first, second, third = (order_of(exchange.sell(ALICE, 100, 2)).order.order_id for _ in "123")
    exchange.cancel(ALICE, order_id=second)
    exchange.buy(BOB, 100, 3)
    sold = [event.sell_order_id for event in exchange.events if hasattr(event, "sell_order_id")]
    assert sold == [first, third]


def test_a_better_price_gives_the_difference_back() -> None:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=10)
    exchange.fund(BOB, USD=1_000)
    exchange.sell(ALICE, 90, 5)
    exchange.buy(BOB, 100, 8)
    assert exchange.balance(BOB, "USD") == (1_000 - 5 * 90 - 3 * 100, 3 * 100)
    assert exchange.balance(BOB, "ABC") == (5, 0)


def test_cancel_gives_back_what_is_left() -> None:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=10)
    exchange.fund(BOB, USD=1_000)
    placed = order_of(exchange.buy(BOB, 100, 8, client_order_id="mine"))
    exchange.sell(ALICE, 100, 3)
    cancelled = order_of(exchange.cancel(BOB, client_order_id="mine")).order
    assert (cancelled.order_id, cancelled.status.value) == (placed.order.order_id, "canceled")
    assert cancelled.executed_quantity == 3
    assert exchange.balance(BOB, "USD") == (700, 0)
    assert exchange.depth() == {"bids": [], "asks": []}
    assert_sound(exchange.engine)


def test_a_sweep_ends_after_ten_thousand_fills() -> None:
    """So that the events of one command fit one journal entry. A rest that crosses cannot stand."""
    exchange = Exchange()
    exchange.fund(ALICE, ABC=MAX_FILLS + 1)
    exchange.fund(BOB, USD=10**9)
    for _ in range(MAX_FILLS + 1):
        exchange.sell(ALICE, 100, 1)
    order = order_of(exchange.buy(BOB, 100, MAX_FILLS + 1)).order
    assert (order.status.value, order.executed_quantity) == ("expired", MAX_FILLS)
    assert exchange.depth() == {"bids": [], "asks": [(100, 1)]}
    assert exchange.balance(BOB, "USD") == (10**9 - 100 * MAX_FILLS, 0)
    assert_sound(exchange.engine)


def test_an_order_is_in_time_until_it_expires() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=1_000)
    assert order_of(exchange.buy(BOB, 100, 1, expires_at=1_000)).order.status.value == "new"


def test_a_client_order_id_is_free_again_after_its_order() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=1_000)
    exchange.buy(BOB, 100, 1, client_order_id="mine")
    exchange.cancel(BOB, client_order_id="mine")
    assert order_of(exchange.buy(BOB, 100, 1, client_order_id="mine")).order.status.value == "new"


def test_orders_stand_in_their_own_market_only() -> None:
    exchange = Exchange()
    exchange.fund(BOB, USD=1_000)
    order_id = order_of(exchange.buy(BOB, 100, 1, time_in_force=GTC)).order.order_id
    orders = exchange.engine.orders
    assert orders.find(BOB, "OTHER", order_id, None) is None
    assert orders.find(BOB, "ABCUSD", order_id, "another") is None
    assert orders.find(ALICE, "ABCUSD", order_id, None) is None
    assert orders.find(BOB, "ABCUSD", order_id, None) is not None
