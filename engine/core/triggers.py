"""Conditional orders that wait for the last price. See "Triggers" in `docs/ORDERS.md`."""

from collections.abc import Iterator

from engine.core.commands import OrderTerms
from engine.core.order import Order
from engine.core.order_book import BookSide, PriceLevel
from engine.core.types import (
    BASIS_POINTS,
    BUY,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
)


def rises_to_trigger(terms: OrderTerms) -> bool:
    """Does the last price reach the order's stop price from below, or from above?"""
    is_stop_loss = terms.type is STOP_LOSS or terms.type is STOP_LOSS_LIMIT
    return (terms.side is BUY) == is_stop_loss


class Triggers:
    """The waiting orders of one market."""

    __slots__ = ("_falling", "_rising", "_trails")

    def __init__(self) -> None:
        self._rising = BookSide(SELL)
        """By stop price, lowest first: reached as the last price rises."""
        self._falling = BookSide(BUY)
        self._trails: dict[tuple[bool, int], Trail] = {}
        """By side and delta."""

    @property
    def is_empty(self) -> bool:
        return not (len(self._rising) or len(self._falling) or self._trails)

    def __iter__(self) -> Iterator[Order]:
        """Every waiting order: rising, falling, tracked; each in the order of its queue."""
        for side in (self._rising, self._falling):
            for level in side:
                yield from level
        for key in sorted(self._trails):
            for level in self._trails[key].levels:
                yield from level

    def add(self, order: Order, last_price: int | None) -> None:
        if order.stop_price:
            self._waiting(order).add(order, order.stop_price)
        else:
            assert last_price is not None, "a trailing order begins at a price"
            self.track(order, last_price)

    def track(self, order: Order, best_price: int) -> None:
        """Follow the price from `best_price` on. Those that are tracked have seen it too."""
        delta = order.trailing_delta
        assert delta, "only a trailing order is tracked"
        order.is_tracked = True
        key = (order.is_buy, delta)
        trail = self._trails.get(key)
        if trail is None:
            trail = self._trails[key] = Trail(order.is_buy, delta)
        trail.add(order, best_price)

    def remove(self, order: Order) -> None:
        if order.is_tracked:
            trail = self._trails[order.is_buy, order.trailing_delta]
            trail.remove(order)
            self._drop_if_empty(trail)
        else:
            self._waiting(order).remove(order)

    def reached(self, price: int) -> list[Order]:
        """Take out the orders that trigger at this last price, in the order of their turn."""
        rising: list[tuple[int, int, Order]] = []
        falling: list[tuple[int, int, Order]] = []
        for trail in list(self._trails.values()):
            for trigger_price, order in trail.reached(price):
                if order.is_buy:
                    rising.append((trigger_price, order.order_id, order))
                else:
                    falling.append((-trigger_price, order.order_id, order))
            self._drop_if_empty(trail)
        self._take(self._rising, price, 1, rising)
        self._take(self._falling, price, -1, falling)
        rising.sort(key=_turn)
        falling.sort(key=_turn)
        return [entry[2] for entry in rising + falling]

    def _take(
        self, side: BookSide, price: int, sign: int, due: list[tuple[int, int, Order]]
    ) -> None:
        """Empty the levels that are reached; trailing orders are only tracked from now on."""
        while (level := side.best()) is not None and level.price * sign <= price * sign:
            side.pop_best()
            for order in list(level):
                level.remove(order)
                if order.trailing_delta:
                    self.track(order, price)
                else:
                    due.append((level.price * sign, order.order_id, order))

    def _waiting(self, order: Order) -> BookSide:
        return self._rising if rises_to_trigger(order.terms) else self._falling

    def _drop_if_empty(self, trail: "Trail") -> None:
        if not trail.levels:
            del self._trails[trail.is_buy, trail.delta]


def _turn(entry: tuple[int, int, Order]) -> tuple[int, int]:
    return entry[0], entry[1]


class Trail:
    """Trailing orders of one side and delta, by the best price each has seen.

    Whoever waits longer has seen a better price, or the same. So the levels stand in order, a new
    best price only touches the last of them, and the first is the next to trigger.
    """

    __slots__ = ("_sign", "delta", "is_buy", "levels")

    def __init__(self, is_buy: bool, delta: int) -> None:
        self.is_buy = is_buy
        self.delta = delta
        self._sign = -1 if is_buy else 1
        self.levels: list[PriceLevel] = []

    def add(self, order: Order, best_price: int) -> None:
        if not self.levels or self.levels[-1].price != best_price:
            self.levels.append(PriceLevel(best_price))
        self.levels[-1].append(order)

    def remove(self, order: Order) -> None:
        level = order.level
        assert level is not None, "the order is not tracked"
        level.remove(order)
        if level.first is None:
            self.levels.remove(level)

    def reached(self, price: int) -> list[tuple[int, Order]]:
        """Follow the price; take out those that trigger, with their trigger prices."""
        self._follow(price)
        due: list[tuple[int, Order]] = []
        while self.levels:
            level = self.levels[0]
            trigger_price = self._trigger_price(level.price)
            if trigger_price * self._sign < price * self._sign:
                break
            del self.levels[0]
            for order in list(level):
                level.remove(order)
                order.is_tracked = False
                due.append((trigger_price, order))
        return due

    def _follow(self, price: int) -> None:
        """All that have seen nothing better have this as their best price now."""
        merged: PriceLevel | None = None
        while self.levels and self.levels[-1].price * self._sign <= price * self._sign:
            level = self.levels.pop()
            merged = level if merged is None else _merge(merged, level)
        if merged is not None:
            merged.price = price
            self.levels.append(merged)

    def _trigger_price(self, best_price: int) -> int:
        if self.is_buy:
            return -(-best_price * (BASIS_POINTS + self.delta) // BASIS_POINTS)
        return best_price * (BASIS_POINTS - self.delta) // BASIS_POINTS


def _merge(one: PriceLevel, other: PriceLevel) -> PriceLevel:
    """The smaller moves: an order moves at most as often as its level can double."""
    small, large = (one, other) if one.count < other.count else (other, one)
    for order in list(small):
        small.remove(order)
        large.append(order)
    return large
