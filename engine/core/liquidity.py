"""What an order would meet in the book, read off without touching it."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from engine.core.markets import Market
from engine.core.order import Order
from engine.core.types import DECREMENT, EXPIRE_MAKER

MAX_FILLS: Final = 10_000
"""Of one order at a time. What would trade further expires: a batch's events must fit an entry."""


class Slice(NamedTuple):
    """What an order would meet next: a standing order's visible quantity, or one of its own."""

    price: int
    quantity: int
    is_own: bool


def can_fill(market: Market, order: Order, now: int) -> bool:
    """Would all of it trade at once, within its limit and the volatility guard?"""
    needed = order.remaining
    lowest, highest = market.guard.bounds(now)
    skips_own = order.terms.self_trade_prevention is EXPIRE_MAKER
    for met, piece in enumerate(slices(market, order)):
        if met == MAX_FILLS or not lowest <= piece.price <= highest:
            return False
        if piece.is_own and not skips_own:
            return False
        needed -= piece.quantity
        if needed <= 0:
            return True
    return False


def value_on_the_book(market: Market, order: Order) -> int:
    """What an order by quantity would trade for now, in the quote asset, before fees."""
    quantity, value = order.quantity, 0
    for piece in islice(slices(market, order), MAX_FILLS):
        taken = min(quantity, piece.quantity)
        quantity -= taken
        if not piece.is_own:
            value += market.notional(piece.price, taken)
        if not quantity:
            break
    return value


def slices(market: Market, order: Order) -> Iterator[Slice]:
    """What the order would meet, in turn, until its self-trade prevention ends it.

    One of its own counts with what both would lose: nothing, but where both are decremented.
    """
    mode = order.terms.self_trade_prevention
    for level in market.book.opposite_of(order).levels_within(order.limit):
        icebergs: deque[tuple[Order, int]] = deque()
        for maker in level:
            if order.prevents_self_trade and maker.is_own(order):
                yield Slice(level.price, maker.remaining if mode is DECREMENT else 0, is_own=True)
                if mode is not DECREMENT and mode is not EXPIRE_MAKER:
                    return
                continue
            yield Slice(level.price, maker.shown, is_own=False)
            if maker.remaining > maker.shown:
                icebergs.append((maker, maker.remaining - maker.shown))
        while icebergs:  # their next parts come behind the others
            maker, remaining = icebergs.popleft()
            shown = min(maker.visible_quantity, remaining)
            yield Slice(level.price, shown, is_own=False)
            if remaining > shown:
                icebergs.append((maker, remaining - shown))
