"""Which orders should stand around a price, and what has to change for that.

Prices lie on a grid that does not move with the price, so that a small step of the walk changes
an order or two on each side and leaves the others their place in the queue. Bids lie strictly
below the price and asks strictly above it, and what is on the wrong side is cancelled before
anything is placed: the ladder never meets itself.
"""

import math
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from engine.core.types import Side
from markets.market_maker.parameters import Parameters, Rules


class Quote(NamedTuple):
    """An order to place: price in ticks, quantity in steps."""

    side: Side
    ticks: int
    steps: int


@dataclass(frozen=True)
class Change:
    """Orders to cancel, and what to place afterwards."""

    cancel: list[int]
    place: list[Quote]


class Ladder:
    """The orders of one market, as far as is known."""

    def __init__(
        self,
        rules: Rules,
        parameters: Parameters,
        *,
        start: float,
        notional: float,
        random: Random,
    ) -> None:
        self._rules = rules
        self._parameters = parameters
        self._random = random
        self._notional = notional
        self._pitch = max(1, round(rules.ticks(start) * parameters.spacing))
        self._jitter_seed = random.getrandbits(32)
        self.standing: dict[int, tuple[Side, int]] = {}
        """Order ids, with the side and the price in ticks."""

    def change(self, price: float) -> Change:
        """From what stands to what should stand around `price`."""
        wanted = self._wanted(price)
        cancel = [order_id for order_id, place in self.standing.items() if place not in wanted]
        kept = [order_id for order_id in self.standing if self.standing[order_id] in wanted]
        cancel += self._random.sample(kept, min(self._parameters.refreshed, len(kept)))
        gone = set(cancel)
        covered = {place for order_id, place in self.standing.items() if order_id not in gone}
        return Change(
            cancel=cancel,
            place=[
                Quote(side, ticks, self._quantity(ticks, depth))
                for (side, ticks), depth in wanted.items()
                if (side, ticks) not in covered
            ],
        )

    def placed(self, quote: Quote, order_id: int) -> None:
        self.standing[order_id] = quote.side, quote.ticks

    def gone(self, order_id: int) -> None:
        self.standing.pop(order_id, None)

    def keep_only(self, order_ids: set[int]) -> None:
        """What the exchange says still stands; the rest was filled."""
        self.standing = {k: place for k, place in self.standing.items() if k in order_ids}

    def clear(self) -> None:
        self.standing.clear()

    def _wanted(self, price: float) -> dict[tuple[Side, int], int]:
        """The places of all orders, with their depth from the best one."""
        levels, half = self._parameters.levels, self._parameters.half_spread
        highest_bid = math.ceil(self._rules.ticks(price * (1 - half))) - 1
        lowest_ask = max(math.floor(self._rules.ticks(price * (1 + half))), highest_bid) + 1
        wanted: dict[tuple[Side, int], int] = {}
        line = highest_bid // self._pitch
        while len(wanted) < levels and line > 0:
            if (ticks := self._grid(line)) <= highest_bid:
                wanted[Side.BUY, ticks] = len(wanted)
            line -= 1
        line = lowest_ask // self._pitch
        depth = 0
        while depth < levels:
            if (ticks := self._grid(line)) >= lowest_ask:
                wanted[Side.SELL, ticks] = depth
                depth += 1
            line += 1
        return wanted

    def _grid(self, line: int) -> int:
        """The price of a line of the grid: each somewhere in its own stretch, always the same."""
        scattered = (line * 2_654_435_761 ^ self._jitter_seed) & 0xFFFFFFFF
        return line * self._pitch + scattered % self._pitch

    def _quantity(self, ticks: int, depth: int) -> int:
        factor = (1 + 0.12 * depth) * self._random.lognormvariate(-0.3, 0.7)
        return self._rules.steps_worth(self._notional * factor, ticks)
