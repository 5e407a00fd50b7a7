"""One market of the naive exchange: a list of open orders, and questions answered by sorting it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from engine.core.commands import DefineMarket, OrderTerms
from engine.core.types import (
    BUY,
    GTC,
    GTD,
    LIMIT,
    MARKET,
    NEW,
    OPEN,
    PARTIALLY_FILLED,
    PPM,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    OrderStatus,
    Phase,
    Side,
)


class Place(Enum):
    """Where an open order is."""

    BOOK = "book"
    WAITING = "waiting"  # for its trigger
    TRIGGERED = "triggered"  # and its turn to work has not come
    NOWHERE = "nowhere"  # not open: it works just now, or is over


@dataclass(eq=False)
class NaiveOrder:
    order_id: int
    terms: OrderTerms
    limit: int | None
    """The worst price at which it may trade; None: any."""
    remaining: int
    """In the base asset; in the quote asset for an order by quote amount."""
    place: Place = Place.NOWHERE
    shown: int = 0
    arrival: int = 0
    """When it came to its place in its queue: of its price, or of triggered orders."""
    best_seen: int | None = None
    """Of a trailing order: the best price since it is tracked."""
    executed: int = 0
    executed_quote: int = 0
    prevented: int = 0
    status: OrderStatus = NEW
    list_id: int | None = None
    other_leg: int | None = None
    """While it is tied to another order."""

    @property
    def is_buy(self) -> bool:
        return self.terms.side is BUY

    @property
    def open_status(self) -> OrderStatus:
        return PARTIALLY_FILLED if self.executed else NEW

    @property
    def can_stand(self) -> bool:
        is_good = self.terms.time_in_force in (GTC, GTD)
        return is_good and self.terms.type is not MARKET and self.terms.price is not None

    def show_next_part(self) -> None:
        self.shown = min(self.terms.visible_quantity or self.remaining, self.remaining)


def is_conditional(terms: OrderTerms) -> bool:
    return terms.type not in (LIMIT, MARKET)


def rises_to_its_stop(terms: OrderTerms) -> bool:
    """Is the stop price of such an order above the last price, or below?"""
    is_stop_loss = terms.type in (STOP_LOSS, STOP_LOSS_LIMIT)
    return is_stop_loss if terms.side is BUY else not is_stop_loss


def ceil_div(amount: int, divisor: int) -> int:
    return -(-amount // divisor)


@dataclass
class NaiveMarket:
    rules: DefineMarket
    unit: int
    """The smallest units of a whole unit of the base asset."""
    phase: Phase = OPEN
    call_ends: int | None = None
    last_price: int | None = None
    trade_id: int = 0
    prices: list[tuple[int, int]] = field(default_factory=list)
    """`(time, last price)` of every trade since the guard began to count."""
    orders: list[NaiveOrder] = field(default_factory=list)
    """Those that are open, wherever they are."""
    fees: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Maker's and taker's, by tier."""

    def copied(self) -> "NaiveMarket":
        return replace(
            self, orders=[replace(order) for order in self.orders], prices=list(self.prices)
        )

    def notional(self, price: int, quantity: int) -> int:
        return price * quantity // self.unit

    # The book

    def queue(self, side: Side) -> list[NaiveOrder]:
        """The orders of one side: best price first, first come first."""
        sign = -1 if side is BUY else 1
        mine = [o for o in self.orders if o.place is Place.BOOK and o.terms.side is side]
        return sorted(mine, key=lambda order: (sign * (order.limit or 0), order.arrival))

    def makers(self, side: Side, limit: int | None) -> list[NaiveOrder]:
        """Whom an order of that side and limit would meet, in turn."""
        if side is BUY:
            return [o for o in self.queue(SELL) if limit is None or (o.limit or 0) <= limit]
        return [o for o in self.queue(BUY) if limit is None or (o.limit or 0) >= limit]

    def triggered(self) -> list[NaiveOrder]:
        """Whose trigger was reached, in the order in which they will work."""
        waiting = [order for order in self.orders if order.place is Place.TRIGGERED]
        return sorted(waiting, key=lambda order: order.arrival)

    def depth(self, side: Side) -> list[tuple[int, int, int]]:
        """`(price, shown, hidden)` of every level, best first."""
        levels: dict[int, list[int]] = {}
        for order in self.queue(side):
            level = levels.setdefault(order.limit or 0, [0, 0])
            level[0] += order.shown
            level[1] += order.remaining - order.shown
        return [(price, shown, hidden) for price, (shown, hidden) in levels.items()]

    @property
    def is_crossed(self) -> bool:
        bids, asks = self.queue(BUY), self.queue(SELL)
        return bool(bids and asks and (bids[0].limit or 0) >= (asks[0].limit or 0))

    def wanted(self, order: NaiveOrder, price: int) -> int:
        """How much the order would still take at that price, in whole steps."""
        if order.terms.quote_quantity is None:
            return order.remaining
        return order.remaining // self.notional(price, self.rules.step) * self.rules.step

    # The volatility guard

    def guard_bounds(self, now: int) -> tuple[int, int] | None:
        """Lowest and highest price at which a trade may happen."""
        if self.rules.guard_ppm is None or not self.prices:
            return None
        begin = now - self.rules.guard_window_ms
        first_time = self.prices[0][0]
        reference = [p for time, p in self.prices if time <= max(begin, first_time)][-1]
        return (
            ceil_div(reference * (PPM - self.rules.guard_ppm), PPM),
            reference * (PPM + self.rules.guard_ppm) // PPM,
        )

    # The auction

    def clearing_price(self) -> int | None:
        """Every tick is tried where anything could trade."""
        bids, asks = self.queue(BUY), self.queue(SELL)
        if not self.is_crossed:
            return None
        best_bid, best_ask = bids[0].limit or 0, asks[0].limit or 0
        return clearing_price(
            [(o.limit or 0, o.remaining) for o in bids],
            [(o.limit or 0, o.remaining) for o in asks],
            range(best_ask, best_bid + 1, self.rules.tick),
            self.last_price or (best_bid + best_ask) // 2 // self.rules.tick * self.rules.tick,
        )


def clearing_price(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], ticks: Iterable[int], reference: int
) -> int:
    """Greatest volume, smallest surplus, nearest to the reference, lowest: in this order."""

    def badness(price: int) -> tuple[int, int, int, int]:
        wanted = sum(quantity for limit, quantity in bids if limit >= price)
        offered = sum(quantity for limit, quantity in asks if limit <= price)
        volume, surplus = min(wanted, offered), abs(wanted - offered)
        return -volume, surplus, abs(price - reference), price

    return min(ticks, key=badness)
