"""Where orders meet: a taker trades against the book, at the makers' prices."""

from enum import Enum
from typing import Final

from engine.core.events import Fill, OrderState
from engine.core.liquidity import MAX_FILLS
from engine.core.markets import Market, Markets
from engine.core.open_orders import OpenOrders, needed_lock
from engine.core.order import Order
from engine.core.order_book import BookSide, PriceLevel
from engine.core.settlement import Settlement
from engine.core.types import (
    DECREMENT,
    EXPIRE_BOTH,
    EXPIRE_TAKER,
    EXPIRED,
    FILLED,
    PARTIALLY_FILLED,
    PREVENTED,
    TRADED,
    SelfTradePrevention,
)


class Outcome(Enum):
    """Why an order trades no further."""

    COMPLETE = "complete"
    NOTHING_LEFT = "nothing_left"  # within its limit
    PREVENTED = "prevented"  # one of its own stood in the way, or took what it had left
    GUARDED = "guarded"  # the volatility guard forbids the next trade
    EXHAUSTED = "exhausted"  # it met too many orders


COMPLETE: Final = Outcome.COMPLETE
NOTHING_LEFT: Final = Outcome.NOTHING_LEFT
STOPPED: Final = Outcome.PREVENTED
GUARDED: Final = Outcome.GUARDED
EXHAUSTED: Final = Outcome.EXHAUSTED


class Matching:
    def __init__(
        self,
        markets: Markets,
        open_orders: OpenOrders,
        settlement: Settlement,
    ) -> None:
        self._markets = markets
        self._open_orders = open_orders
        self._settlement = settlement

    def match(
        self, market: Market, taker: Order, now: int
    ) -> tuple[list[Fill], OrderState | None, Outcome]:
        """Trade while prices cross. Returns the taker's fills, its state as last announced here
        (None: nothing happened to it), and why there are no more fills.

        The taker's funds have been checked and stand in `available`; makers pay from their locks.
        """
        fills: list[Fill] = []
        state: OrderState | None = None
        side = market.book.opposite_of(taker)
        is_guarded = market.guard.is_armed
        lowest, highest = market.guard.bounds(now) if is_guarded else (0, 0)
        met = 0
        outcome = EXHAUSTED
        while True:
            level = side.best()
            if level is None or not _reaches(taker, level.price):
                outcome = NOTHING_LEFT
                break
            price = level.price
            if is_guarded and not lowest <= price <= highest:
                outcome = GUARDED
                break
            wanted = _wanted(market, taker, price)
            if not wanted:
                outcome = NOTHING_LEFT
                break
            if met == MAX_FILLS:
                break
            is_changed = False
            while wanted and met < MAX_FILLS:
                maker = level.first
                if maker is None:
                    break
                if taker.prevents_self_trade and maker.is_own(taker):
                    mode = taker.terms.self_trade_prevention
                    if mode is not EXPIRE_TAKER:
                        met += 1
                        is_changed = True
                        changed = self._prevent(market, side, taker, maker, mode, wanted, now)
                        state = changed or state
                        wanted = _wanted(market, taker, price)
                    if mode is EXPIRE_TAKER or mode is EXPIRE_BOTH or not wanted:
                        outcome = STOPPED
                        break
                    continue
                met += 1
                is_changed = True
                quantity = wanted if wanted < maker.shown else maker.shown
                wanted -= quantity
                fill, state = self._trade(market, side, level, taker, maker, quantity, now)
                fills.append(fill)
            if is_changed:
                self._markets.level_changed(market, side, level)
            if outcome is STOPPED:
                if taker.terms.self_trade_prevention is not DECREMENT:
                    taker.prevented_quantity += _wanted(market, taker, price)
                break
            if taker.is_complete:
                outcome = COMPLETE
                break
        if fills:
            market.guard.record(now, fills[-1].price)
        return fills, state, outcome

    def _trade(
        self,
        market: Market,
        side: BookSide,
        level: PriceLevel,
        taker: Order,
        maker: Order,
        quantity: int,
        now: int,
    ) -> tuple[Fill, OrderState]:
        """One trade at the maker's price: money, orders, events. Returns what the taker got, and
        its state now."""
        price = level.price
        if maker.order_list is not None:
            self._open_orders.keep(maker, now)
        if taker.is_buy:
            taker_fill, maker_fill = self._settlement.trade(
                market, price, quantity, taker, maker, taker, now
            )
        else:
            maker_fill, taker_fill = self._settlement.trade(
                market, price, quantity, maker, taker, taker, now
            )
        level.trade(maker, quantity)
        if not maker.remaining:
            side.remove(maker)
            self._open_orders.forget(maker)
            self._open_orders.announce(maker, TRADED, FILLED, maker_fill)
        else:
            if not maker.shown:
                level.requeue(maker)
            self._open_orders.announce(maker, TRADED, PARTIALLY_FILLED, maker_fill)
        if taker.is_by_quote:
            taker.remaining -= market.notional(price, quantity)
            best = side.best()
            if best is not None and _reaches(taker, best.price):
                price = best.price
            taker.is_complete = not _wanted(market, taker, price)
        else:
            taker.remaining -= quantity
            taker.is_complete = not taker.remaining
        status = FILLED if taker.is_complete else PARTIALLY_FILLED
        return taker_fill, self._open_orders.announce(taker, TRADED, status, taker_fill)

    def _prevent(
        self,
        market: Market,
        side: BookSide,
        taker: Order,
        maker: Order,
        mode: SelfTradePrevention,
        wanted: int,
        now: int,
    ) -> OrderState | None:
        """The next order is one of the taker's own, and does not stay as it is. Returns the
        taker's new state, where something happened to that as well and it goes on."""
        level = maker.level
        assert level is not None
        if maker.order_list is not None:
            self._open_orders.keep(maker, now)
        if mode is not DECREMENT:
            self._expire_maker(side, maker, maker.remaining, now)
            return None
        quantity = min(wanted, maker.remaining)
        if quantity == maker.remaining:
            self._expire_maker(side, maker, quantity, now)
        else:
            self._reduce_maker(market, level, maker, quantity, now)
        taker.prevented_quantity += quantity
        taker.remaining -= market.notional(level.price, quantity) if taker.is_by_quote else quantity
        if not _wanted(market, taker, level.price):  # it expires at once
            return None
        taker.updated_at = now
        return self._open_orders.announce(taker, PREVENTED, taker.open_status)

    def _reduce_maker(
        self, market: Market, level: PriceLevel, maker: Order, quantity: int, now: int
    ) -> None:
        level.resize(maker, maker.remaining - quantity)
        maker.prevented_quantity += quantity
        maker.updated_at = now
        self._open_orders.lock_only(maker, needed_lock(market, maker))
        self._open_orders.announce(maker, PREVENTED, maker.open_status)

    def _expire_maker(self, side: BookSide, maker: Order, quantity: int, now: int) -> None:
        """Without its depth change, which the level gets when the taker leaves it."""
        side.remove(maker)
        self._open_orders.release(maker)
        self._open_orders.forget(maker)
        maker.prevented_quantity += quantity
        maker.remaining = 0
        maker.updated_at = now
        self._open_orders.announce(maker, PREVENTED, EXPIRED)


def _reaches(taker: Order, price: int) -> bool:
    return price <= taker.limit if taker.is_buy else price >= taker.limit


def _wanted(market: Market, taker: Order, price: int) -> int:
    """How much the taker would still take at that price, in whole steps."""
    if not taker.is_by_quote:
        return taker.remaining
    step = market.step
    return taker.remaining // market.notional(price, step) * step
