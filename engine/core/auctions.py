"""Call auctions: one price for everybody. See "Auction" in `docs/ORDERS.md`."""

from itertools import pairwise
from typing import Final

from engine.core.events import Fill
from engine.core.markets import Market, Markets
from engine.core.open_orders import OpenOrders, needed_lock
from engine.core.order import Order
from engine.core.order_book import BookSide, OrderBook, PriceLevel
from engine.core.settlement import Settlement
from engine.core.trigger_queue import TriggerQueue
from engine.core.types import FILLED, PARTIALLY_FILLED, TRADED

MAX_TRADES: Final = 5_000
"""Of an auction at a time; the rest follows with the next tick."""


class Auctions:
    """Trades a crossed book at its clearing price."""

    def __init__(
        self,
        markets: Markets,
        open_orders: OpenOrders,
        settlement: Settlement,
        trigger_queue: TriggerQueue,
    ) -> None:
        self._markets = markets
        self._open_orders = open_orders
        self._settlement = settlement
        self._trigger_queue = trigger_queue

    def uncross(self, market: Market, now: int) -> bool:
        """Trade what crosses, up to `MAX_TRADES`. Returns whether that was all."""
        trades = 0
        changed: dict[tuple[bool, int], tuple[BookSide, PriceLevel]] = {}
        while trades < MAX_TRADES and (pair := self._next_pair(market)) is not None:
            trades += 1
            buyer, seller, price = pair
            for order in pair[:2]:
                side, level = market.book.side_of(order), order.level
                assert level is not None
                changed[order.is_buy, level.price] = side, level
                if order.order_list is not None:
                    self._open_orders.keep(order, now)
            quantity = min(buyer.remaining, seller.remaining)
            buyer_fill, seller_fill = self._settlement.trade(
                market, price, quantity, buyer, seller, None, now
            )
            self._fill(market, buyer, quantity, buyer_fill)
            self._fill(market, seller, quantity, seller_fill)
        for side, level in changed.values():
            self._markets.level_changed(market, side, level)
        if trades == MAX_TRADES:
            return False
        price_found = market.last_price
        if market.clearing_price is not None and price_found is not None:
            market.clearing_price = None
            market.guard.restart(now, price_found)
            self._trigger_queue.price_moved(market, price_found, price_found)
        return True

    def _next_pair(self, market: Market) -> tuple[Order, Order, int] | None:
        """The oldest of the best on either side, and the price at which they trade."""
        book = market.book
        if market.clearing_price is not None:
            bid, ask, price = book.bids.best(), book.asks.best(), market.clearing_price
            if bid is not None and ask is not None and bid.price >= price >= ask.price:
                assert bid.first is not None
                assert ask.first is not None
                return bid.first, ask.first, price
        # Orders may have ended between two ticks of a long auction: what is left finds a new price.
        if not book.is_crossed:
            return None
        market.clearing_price = clearing_price(book, market.last_price, market.tick)
        return self._next_pair(market)

    def _fill(self, market: Market, order: Order, quantity: int, fill: Fill) -> None:
        side, level = market.book.side_of(order), order.level
        assert level is not None
        level.resize(order, order.remaining - quantity)
        if order.remaining:
            self._open_orders.lock_only(order, needed_lock(market, order))
            self._open_orders.announce(order, TRADED, PARTIALLY_FILLED, fill)
        else:
            side.remove(order)
            self._open_orders.release(order)
            self._open_orders.forget(order)
            self._open_orders.announce(order, TRADED, FILLED, fill)


def clearing_price(book: OrderBook, last_price: int | None, tick: int) -> int:
    """The price at which a crossed book clears: greatest volume, smallest surplus, nearest to the
    reference price, lowest.

    Volume and surplus only change at the prices of orders. So between two of those the price
    nearest to the reference stands for all others.
    """
    best_bid, best_ask = book.bids.best(), book.asks.best()
    assert best_bid is not None
    assert best_ask is not None
    lowest, highest = best_ask.price, best_bid.price
    reference = (lowest + highest) // 2 // tick * tick if last_price is None else last_price
    bids = {level.price: level.total for level in book.bids.levels_within(lowest)}
    asks = {level.price: level.total for level in book.asks.levels_within(highest)}
    demand, supply = sum(bids.values()), 0
    best: tuple[int, int, int, int] | None = None
    for price in _candidates(sorted({*bids, *asks}), reference, tick):
        supply += asks.get(price, 0)
        volume, surplus = min(demand, supply), abs(demand - supply)
        found = (-volume, surplus, abs(price - reference), price)
        if best is None or found < best:
            best = found
        demand -= bids.get(price, 0)
    assert best is not None
    return best[3]


def _candidates(prices: list[int], reference: int, tick: int) -> list[int]:
    """The prices of orders, and in each gap between two the ticks nearest to the reference."""
    candidates = set(prices)
    for lower, upper in pairwise(prices):
        if upper - lower >= 2 * tick:
            for price in (reference // tick * tick, reference // tick * tick + tick):
                candidates.add(min(max(price, lower + tick), upper - tick))
    return sorted(candidates)
