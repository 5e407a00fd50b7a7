"""What an order would meet in the book, read off without touching it."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from engine.core.accounts import Account
from engine.core.markets import Market
from engine.core.order import Order
from engine.core.order_book import BookSide, PriceLevel
from engine.core.types import DECREMENT, EXPIRE_MAKER, NO_PREVENTION, SelfTradePrevention

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
    limit = tighter_limit(order, market.guard.bounds(now))
    mode = order.terms.self_trade_prevention
    side = market.book.opposite_of(order)
    for met, piece in enumerate(slices(side, limit, order.account, mode)):
        if piece.is_own or met == MAX_FILLS:
            return False
        needed -= piece.quantity
        if needed <= 0:
            return True
    return False


def cost_of_buying(market: Market, order: Order) -> int:
    """What a buy by quantity would pay for what stands there within its limit."""
    quantity, cost = order.quantity, 0
    if not order.prevents_self_trade:
        for level in market.book.asks.levels_within(order.limit):
            taken = min(quantity, level.total)
            cost += market.notional(level.price, taken)
            quantity -= taken
            if not quantity:
                break
        return cost
    mode = order.terms.self_trade_prevention
    for piece in slices(market.book.asks, order.limit, order.account, mode):
        taken = min(quantity, piece.quantity)
        if not piece.is_own:
            cost += market.notional(piece.price, taken)
        quantity -= taken
        if not quantity:
            break
    return cost


def value_of_selling(market: Market, order: Order) -> int:
    """What a sell would receive for what is wanted there within its limit, before the fee."""
    quantity, value = order.quantity, 0
    for level in market.book.bids.levels_within(order.limit):
        taken = min(quantity, level.total)
        value += market.notional(level.price, taken)
        quantity -= taken
        if not quantity:
            break
    return value


def tighter_limit(order: Order, bounds: tuple[int, int]) -> int:
    """The worst price at which the order may trade where the guard has these bounds."""
    return min(order.limit, bounds[1]) if order.is_buy else max(order.limit, bounds[0])


def slices(
    side: BookSide, limit: int, account: Account, mode: SelfTradePrevention
) -> Iterator[Slice]:
    """What an order of this account would meet, in turn, until its mode ends it."""
    for level in side.levels_within(limit):
        for maker, shown, remaining in _turns(level):
            if mode is NO_PREVENTION or not _is_own(maker, account):
                yield Slice(level.price, shown, is_own=False)
            elif mode is DECREMENT:
                yield Slice(level.price, remaining, is_own=True)
            elif mode is not EXPIRE_MAKER:
                yield Slice(level.price, 0, is_own=True)
                return


def _turns(level: PriceLevel) -> Iterator[tuple[Order, int, int]]:
    """`(order, shown, remaining)` as they would be met: icebergs come again behind the others."""
    again: deque[tuple[Order, int]] = deque()
    for order in level:
        yield order, order.shown, order.remaining
        if order.remaining > order.shown:
            again.append((order, order.remaining - order.shown))
    while again:
        order, remaining = again.popleft()
        visible = order.visible_quantity or remaining
        shown = min(visible, remaining)
        yield order, shown, remaining
        if remaining > shown:
            again.append((order, remaining - shown))


def _is_own(order: Order, account: Account) -> bool:
    mine = account.trade_group
    return order.account is account or (mine is not None and mine == order.account.trade_group)
