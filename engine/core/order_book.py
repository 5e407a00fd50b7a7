"""Open limit orders in price-time priority.

A side is a sorted list of prices, best price last, and a dictionary of their levels; a level is
a doubly linked list of orders, oldest first. Most changes happen near the best price, at the end
of the list, where inserting moves little; finding the best is O(1), cancelling an order anywhere
in its queue too.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from engine.core.order import Order
from engine.core.types import BUY, SELL, Side


class PriceLevel:
    """The orders at one price, first come first served."""

    __slots__ = ("first", "last", "price", "quantity")

    def __init__(self, price: int) -> None:
        self.price = price
        self.quantity = 0
        """What all orders of the level have left."""
        self.first: Order | None = None
        self.last: Order | None = None

    def __iter__(self) -> Iterator[Order]:
        order = self.first
        while order is not None:
            yield order
            order = order.behind

    def append(self, order: Order) -> None:
        order.level = self
        order.in_front = self.last
        if self.last is None:
            self.first = order
        else:
            self.last.behind = order
        self.last = order
        self.quantity += order.remaining

    def remove(self, order: Order) -> None:
        if order.in_front is None:
            self.first = order.behind
        else:
            order.in_front.behind = order.behind
        if order.behind is None:
            self.last = order.in_front
        else:
            order.behind.in_front = order.in_front
        order.level = order.in_front = order.behind = None
        self.quantity -= order.remaining


class BookSide:
    """All levels of one side."""

    __slots__ = ("_levels", "_ranks", "_sign", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = 1 if side is BUY else -1
        self._ranks: list[int] = []
        """Price times sign, ascending: the best price ranks highest on either side."""
        self._levels: dict[int, PriceLevel] = {}

    def __iter__(self) -> Iterator[PriceLevel]:
        """Levels, best price first."""
        for rank in reversed(self._ranks):
            yield self._levels[rank * self._sign]

    def __len__(self) -> int:
        return len(self._ranks)

    def best(self) -> PriceLevel | None:
        return self._levels[self._ranks[-1] * self._sign] if self._ranks else None

    def add(self, order: Order, price: int) -> PriceLevel:
        """Queue the order behind all others at its price."""
        level = self._levels.get(price)
        if level is None:
            level = self._levels[price] = PriceLevel(price)
            insort(self._ranks, price * self._sign)
        level.append(order)
        return level

    def remove(self, order: Order) -> PriceLevel:
        """Take the order out, and its level where that is empty now."""
        level = order.level
        assert level is not None, "the order stands in no book"
        level.remove(order)
        if level.first is None:
            del self._levels[level.price]
            rank = level.price * self._sign
            if self._ranks[-1] == rank:
                self._ranks.pop()
            else:
                del self._ranks[bisect_left(self._ranks, rank)]
        return level

    def crosses(self, price: int) -> bool:
        """Would an order of the other side with this limit trade at once?"""
        return bool(self._ranks) and self._ranks[-1] >= price * self._sign

    def levels_within(self, limit: int | None) -> Iterator[PriceLevel]:
        """The levels that an order of the other side may trade with, best first."""
        worst = None if limit is None else limit * self._sign
        for rank in reversed(self._ranks):
            if worst is not None and rank < worst:
                return
            yield self._levels[rank * self._sign]


class OrderBook:
    """The bids and the asks of one market."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(BUY)
        self.asks = BookSide(SELL)

    def side(self, side: Side) -> BookSide:
        return self.bids if side is BUY else self.asks

    def opposite(self, side: Side) -> BookSide:
        return self.asks if side is BUY else self.bids

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
