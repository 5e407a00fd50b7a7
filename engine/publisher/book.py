"""The order book as the feeds know it: quantities by price, and prices in order."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from engine.core.types import Side


class BookSide:
    """The levels of one side."""

    __slots__ = ("_prices", "quantities", "side")

    def __init__(self, side: Side, quantities: dict[int, int] | None = None) -> None:
        self.side: Final = side
        self.quantities = quantities or {}
        self._prices = sorted(self.quantities)
        """Ascending on both sides: most changes of bids happen near the end, of asks they do not,
        but moving a few thousand pointers costs less than a second index."""

    def set(self, price: int, quantity: int) -> None:
        if not quantity:
            if self.quantities.pop(price, None) is not None:
                del self._prices[bisect_left(self._prices, price)]
            return
        if price not in self.quantities:
            insort(self._prices, price)
        self.quantities[price] = quantity

    def best(self) -> tuple[int, int]:
        """Price and quantity; two zeros where there is none."""
        if not self._prices:
            return (0, 0)
        price = self._prices[-1 if self.side is Side.BUY else 0]
        return (price, self.quantities[price])

    def top(self, count: int) -> list[tuple[int, int]]:
        """The best levels, best first."""
        prices: Iterator[int] = (
            reversed(self._prices) if self.side is Side.BUY else iter(self._prices)
        )
        return [(price, self.quantities[price]) for price in islice(prices, count)]

    def levels(self, prices: Iterable[int]) -> list[tuple[int, int]]:
        """What stands at these prices now, best first; 0 where nothing does."""
        ordered = sorted(prices, reverse=self.side is Side.BUY)
        return [(price, self.quantities.get(price, 0)) for price in ordered]


class Batch:
    """The prices that changed since a stream's last event, which ended with `sent`."""

    __slots__ = ("asks", "bids", "sent")

    def __init__(self, sent: int = 0) -> None:
        self.sent = sent
        self.bids: set[int] = set()
        self.asks: set[int] = set()

    def close(self, number: int) -> None:
        """All changes up to `number` are told."""
        self.sent = number
        self.bids.clear()
        self.asks.clear()
