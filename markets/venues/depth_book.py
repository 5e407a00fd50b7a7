"""A copy of a venue's book, kept by Binance's rules for local order books.

Diffs that come before the snapshot wait for it. Those that the snapshot covers (`u` up to its
`lastUpdateId`) are dropped; the first one after it must begin at or before the next update; from
then on each begins right after the one before.
"""

import heapq
from typing import Final, NamedTuple

from engine.core.types import BUY, SELL, Side
from markets.venues.amounts import Scales
from markets.venues.binance import DepthDiff, DepthSnapshot, Level

MAX_WAITING: Final = 1_000
"""Diffs that wait for a snapshot at most: 100 seconds of the fast stream."""


class DepthError(Exception):
    """The book is not known any more: it takes a new snapshot."""


class DepthGap(DepthError):
    """Updates are missing."""


class BookCrossed(DepthError):
    """A bid at or above an ask: the frames contradict each other."""


class LevelKey(NamedTuple):
    side: Side
    price: int


Levels = dict[int, int]
"""Quantity by price."""


class DepthBook:
    """Prices and quantities are integers in smallest units."""

    def __init__(self, scales: Scales) -> None:
        self._scales = scales
        self._waiting: list[DepthDiff] = []
        self.bids: Levels = {}
        self.asks: Levels = {}
        self.last_update_id: int | None = None
        """None until the snapshot came."""

    def take(self, frame: DepthDiff | DepthSnapshot) -> set[LevelKey]:
        """The levels that it touched. Raises DepthError, and AmountError for amounts too fine."""
        if isinstance(frame, DepthSnapshot):
            changed = self._take_snapshot(frame)
        elif self.last_update_id is None:
            if len(self._waiting) == MAX_WAITING:
                raise DepthGap("no snapshot came")
            self._waiting.append(frame)
            return set()
        else:
            changed = self._take_diff(frame)
        if self.bids and self.asks and max(self.bids) >= min(self.asks):
            raise BookCrossed(f"crossed at update {self.last_update_id}")
        return changed

    def quantity(self, level: LevelKey) -> int:
        return (self.bids if level.side is BUY else self.asks).get(level.price, 0)

    def levels(self) -> set[LevelKey]:
        sides = ((BUY, self.bids), (SELL, self.asks))
        return {LevelKey(side, price) for side, known in sides for price in known}

    def best(self, count: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bids and asks as `(price, quantity)`, best first."""
        return (
            heapq.nlargest(count, self.bids.items()),
            heapq.nsmallest(count, self.asks.items()),
        )

    def _take_snapshot(self, snapshot: DepthSnapshot) -> set[LevelKey]:
        if self.last_update_id is not None and snapshot.last_id < self.last_update_id:
            return set()  # older than what is known
        changed = self.levels()
        self.bids.clear()
        self.asks.clear()
        changed |= self._set_levels(snapshot.bids, snapshot.asks)
        self.last_update_id = snapshot.last_id
        waiting, self._waiting = self._waiting, []
        for diff in waiting:
            changed |= self._take_diff(diff)
        return changed

    def _take_diff(self, diff: DepthDiff) -> set[LevelKey]:
        assert self.last_update_id is not None
        if diff.last_id <= self.last_update_id:
            return set()
        if diff.first_id > self.last_update_id + 1:
            raise DepthGap(f"no update {self.last_update_id + 1}, but {diff.first_id}")
        self.last_update_id = diff.last_id
        return self._set_levels(diff.bids, diff.asks)

    def _set_levels(self, bids: list[Level], asks: list[Level]) -> set[LevelKey]:
        changed = set()
        for side, levels, known in ((BUY, bids, self.bids), (SELL, asks, self.asks)):
            for price_text, quantity_text in levels:
                price = self._scales.price(price_text)
                quantity = self._scales.quantity(quantity_text)
                if quantity:
                    known[price] = quantity
                else:
                    known.pop(price, None)
                changed.add(LevelKey(side, price))
        return changed
