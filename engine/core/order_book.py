"""Open limit orders in price-time priority.

A side is a sorted list of levels, best price last, beside a list of their prices to search in, and
a dictionary to find a level at once; a level is a doubly linked list of orders, oldest first. Most
changes happen near the best price, at the end of the lists, where inserting moves little; finding
the best is O(1), cancelling an order anywhere in its queue too.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from engine.core.order import Order
from engine.core.types import BUY, SELL, Side

_bisect: Final = bisect_left  # bound once, see order.py


class PriceLevel:
    """The orders at one price, first come first served."""

    __slots__ = ("count", "first", "hidden", "last", "price", "quantity")

    def __init__(self, price: int) -> None:
        self.price = price
        self.count = 0
        self.quantity = 0
        """What its orders show."""
        self.hidden = 0
        """What its icebergs have left beyond that."""
        self.first: Order | None = None
        self.last: Order | None = None

    def __iter__(self) -> Iterator[Order]:
        order = self.first
        while order is not None:
            yield order
            order = order.behind

    @property
    def total(self) -> int:
        return self.quantity + self.hidden

    def append(self, order: Order) -> None:
        """Queue the order at the end; show all of it, or its visible part."""
        self.count += 1
        order.level = self
        order.in_front = self.last
        if self.last is None:
            self.first = order
        else:
            self.last.behind = order
        self.last = order
        visible = order.visible_quantity
        if not visible or visible > order.remaining:
            order.shown = order.remaining
        else:
            order.shown = visible
            self.hidden += order.remaining - visible
        self.quantity += order.shown

    def show(self, order: Order, shown: int) -> None:
        """Show so much of an iceberg."""
        self.quantity += shown - order.shown
        self.hidden -= shown - order.shown
        order.shown = shown

    def remove(self, order: Order) -> None:
        self.count -= 1
        if order.in_front is None:
            self.first = order.behind
        else:
            order.in_front.behind = order.behind
        if order.behind is None:
            self.last = order.in_front
        else:
            order.behind.in_front = order.in_front
        order.level = order.in_front = order.behind = None
        self.quantity -= order.shown
        self.hidden -= order.remaining - order.shown
        order.shown = 0

    def resize(self, order: Order, remaining: int) -> None:
        """Change what the order has left, the hidden part first. It keeps its place."""
        if remaining >= order.shown:
            self.hidden += remaining - order.remaining
        else:
            self.hidden -= order.remaining - order.shown
            self.quantity += remaining - order.shown
            order.shown = remaining
        order.remaining = remaining

    def trade(self, order: Order, quantity: int) -> None:
        """Take what was shown of the order, or part of it."""
        order.remaining -= quantity
        order.shown -= quantity
        self.quantity -= quantity

    def requeue(self, order: Order) -> None:
        """Show the next part of an iceberg, behind all others at the price."""
        self.remove(order)
        self.append(order)


class BookSide:
    """All levels of one side."""

    __slots__ = ("_by_price", "_levels", "_ranks", "_sign", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = 1 if side is BUY else -1
        self._ranks: list[int] = []
        """Price times sign, ascending: the best price ranks highest on either side."""
        self._levels: list[PriceLevel] = []
        """In the order of their ranks."""
        self._by_price: dict[int, PriceLevel] = {}

    def __iter__(self) -> Iterator[PriceLevel]:
        """Levels, best price first."""
        return reversed(self._levels)

    def __len__(self) -> int:
        return len(self._levels)

    def best(self) -> PriceLevel | None:
        return self._levels[-1] if self._levels else None

    def add(self, order: Order, price: int) -> PriceLevel:
        """Queue the order behind all others at its price."""
        level = self._by_price.get(price)
        if level is None:
            level = self._by_price[price] = PriceLevel(price)
            rank = price * self._sign
            if not self._ranks or rank > self._ranks[-1]:
                self._ranks.append(rank)
                self._levels.append(level)
            else:
                place = _bisect(self._ranks, rank)
                self._ranks.insert(place, rank)
                self._levels.insert(place, level)
        level.append(order)
        return level

    def remove(self, order: Order) -> PriceLevel:
        """Take the order out, and its level where that is empty now."""
        level = order.level
        assert level is not None, "the order stands in no book"
        level.remove(order)
        if level.first is None:
            del self._by_price[level.price]
            place = -1
            if self._levels[-1] is not level:
                place = _bisect(self._ranks, level.price * self._sign)
            self._ranks.pop(place)
            self._levels.pop(place)
        return level

    def pop_best(self) -> PriceLevel:
        """Take out the best level with all its orders."""
        self._ranks.pop()
        level = self._levels.pop()
        del self._by_price[level.price]
        return level

    def crosses(self, price: int) -> bool:
        """Would an order of the other side with this limit trade at once?"""
        return bool(self._ranks) and self._ranks[-1] >= price * self._sign

    def levels_within(self, limit: int) -> Iterator[PriceLevel]:
        """The levels that an order of the other side may trade with, best first."""
        worst = limit * self._sign
        for level in reversed(self._levels):
            if level.price * self._sign < worst:
                return
            yield level


class OrderBook:
    """The bids and the asks of one market."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(BUY)
        self.asks = BookSide(SELL)

    def side_of(self, order: Order) -> BookSide:
        return self.bids if order.is_buy else self.asks

    def opposite_of(self, order: Order) -> BookSide:
        return self.asks if order.is_buy else self.bids

    def orders(self) -> Iterator[Order]:
        """Every open order: bids then asks, best price first, oldest first."""
        for side in (self.bids, self.asks):
            for level in side:
                yield from level

    @property
    def is_empty(self) -> bool:
        return not (len(self.bids) or len(self.asks))

    @property
    def is_crossed(self) -> bool:
        bid, ask = self.bids.best(), self.asks.best()
        return bid is not None and ask is not None and bid.price >= ask.price
