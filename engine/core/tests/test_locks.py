"""The table "What an order locks" of docs/ORDERS.md, and that all of it is given back."""

from typing import Any

import pytest

from engine.core.commands import CancelAll, PlaceOrderList, SetPhase
from engine.core.tests.exchange import (
    ALICE,
    BOB,
    LATE,
    MARKET,
    Exchange,
    assert_sound,
    code_of,
    order_terms,
)
from engine.core.types import (
    BUY,
    PRE_OPEN,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT,
    Side,
)

RICH = 1_000_000

# The last price is 100; Alice bids 90 for 4 and asks 110 for 4; the trigger band is 5 %.
# side, price, quantity, options | what Bob's order locks
TABLE: dict[str, tuple[Side, int | None, int | None, dict[str, Any], int]] = {
    "limit buy": (BUY, 95, 3, {}, 3 * 95),
    "limit buy, a part at a better price": (BUY, 120, 6, {}, 2 * 120),
    "limit sell": (SELL, 105, 3, {}, 3),
    "limit sell, a part at once": (SELL, 90, 6, {}, 2),
    "iceberg buy": (BUY, 95, 6, {"visible_quantity": 2}, 6 * 95),
    "iceberg sell": (SELL, 105, 6, {"visible_quantity": 2}, 6),
    "conditional sell": (SELL, None, 3, {"type": STOP_LOSS, "stop_price": 95}, 3),
    "conditional buy with a limit": (
        BUY, 120, 3, {"type": STOP_LOSS_LIMIT, "stop_price": 115}, 3 * 120,
    ),
    "conditional buy without a limit": (
        BUY, None, 3, {"type": STOP_LOSS, "stop_price": 115}, 3 * 120,  # 115 * 1.05, on a tick
    ),
    "trailing buy with a stop price": (
        BUY, None, 3, {"type": TAKE_PROFIT, "stop_price": 95, "trailing_delta": 500}, 3 * 105,
    ),  # 95 * 1.05 is 100 rounded up; times 1.05
    "trailing buy from the last price": (
        BUY, None, 3, {"type": STOP_LOSS, "trailing_delta": 500}, 3 * 110,
    ),  # 100 * 1.05 is 105; times 1.05
    "market buy": (BUY, None, 3, {}, 0),
    "market buy by quote amount": (BUY, None, None, {"quote_quantity": 400}, 0),
    "market sell": (SELL, None, 3, {}, 0),
}  # fmt: skip


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange()
    for account in (ALICE, BOB):
        exchange.fund(account, ABC=RICH, USD=RICH)
    exchange.sell(ALICE, 100, 1)
    exchange.buy(ALICE, 100, 1)
    exchange.buy(ALICE, 90, 4)
    exchange.sell(ALICE, 110, 4)
    return exchange


@pytest.mark.parametrize(
    ("side", "price", "quantity", "options", "locked"), TABLE.values(), ids=TABLE.keys()
)
def test_lock(
    exchange: Exchange,
    side: Side,
    price: int | None,
    quantity: int | None,
    options: dict[str, Any],
    locked: int,
) -> None:
    pays, receives = ("USD", "ABC") if side is BUY else ("ABC", "USD")
    exchange.place(BOB, side, price, quantity, **options)
    assert exchange.balance(BOB, pays)[1] == locked
    assert exchange.balance(BOB, receives)[1] == 0
    assert_sound(exchange.engine)
    exchange.do(CancelAll(BOB))
    assert exchange.balance(BOB, pays)[1] == 0
    assert_sound(exchange.engine)


def test_a_list_locks_the_larger_of_both_locks(exchange: Exchange) -> None:
    legs = (
        order_terms(BOB, BUY, 95, 3, post_only=True),
        order_terms(BOB, BUY, 125, 3, type=STOP_LOSS_LIMIT, stop_price=115),
    )
    exchange.do(PlaceOrderList(legs, LATE))
    assert exchange.balance(BOB, "USD")[1] == 3 * 125
    exchange.sell(ALICE, 95, 1)  # the limit leg stays with its own
    assert exchange.balance(BOB, "USD")[1] == 2 * 95


def test_in_a_call_an_order_locks_what_it_may_cost_at_its_limit(exchange: Exchange) -> None:
    exchange.do(SetPhase(MARKET, PRE_OPEN))
    exchange.buy(BOB, 120, 6)
    assert exchange.balance(BOB, "USD")[1] == 6 * 120


@pytest.mark.parametrize(
    ("usd", "options"),
    [
        (439, {"quantity": 4}),
        (110, {"quantity": None, "quote_quantity": 111}),
    ],
    ids=["by quantity", "by quote amount"],
)
def test_a_market_buy_needs_what_the_book_would_cost(usd: int, options: dict[str, Any]) -> None:
    exchange = Exchange()
    exchange.fund(ALICE, ABC=4)
    exchange.sell(ALICE, 110, 4)
    exchange.fund(BOB, USD=usd)
    assert code_of(exchange.buy(BOB, None, **options)).value == "INSUFFICIENT_BALANCE"
    exchange.fund(BOB, USD=1)
    exchange.buy(BOB, None, **options)
    assert exchange.balance(BOB, "ABC")[0] > 0
