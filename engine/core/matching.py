"""Where orders meet: a taker trades against the book, at the makers' prices."""

from collections.abc import Callable
from typing import Final

from engine.core.accounts import Accounts
from engine.core.deadlines import Deadlines
from engine.core.events import Event, Fill, OrderUpdated, Traded
from engine.core.markets import Market, Markets, fee
from engine.core.order import Order
from engine.core.order_book import BookSide, PriceLevel
from engine.core.types import FILLED, MAKER, PARTIALLY_FILLED, TAKER

MAX_FILLS: Final = 10_000
"""Of one order. What would trade further expires: a command's events must fit one entry."""


class Matching:
    def __init__(
        self,
        accounts: Accounts,
        markets: Markets,
        deadlines: Deadlines,
        emit: Callable[[Event], None],
    ) -> None:
        self._accounts = accounts
        self._markets = markets
        self._deadlines = deadlines
        self._emit = emit

    def match(self, market: Market, taker: Order, now: int) -> tuple[list[Fill], bool]:
        """Trade while prices cross. Returns the taker's fills, and whether it wants no more.

        The taker's funds have been checked and stand in `available`; makers pay from their locks.
        """
        fills: list[Fill] = []
        side = market.book.opposite(taker.terms.side)
        complete = False
        while not complete and len(fills) < MAX_FILLS:
            level = self._next_level(side, taker)
            if level is None:
                break
            wanted = _wanted(market, taker, level.price)
            if not wanted:
                break
            while wanted and len(fills) < MAX_FILLS and (maker := level.first) is not None:
                quantity = min(wanted, maker.remaining)
                wanted -= quantity
                fill = self._trade(market, side, taker, maker, quantity, now)
                complete = _is_complete(market, side, taker, level.price)
                self._fill_taker(taker, fill, complete)
                fills.append(fill)
            self._markets.level_changed(market, side, level)
        return fills, complete

    @staticmethod
    def _next_level(side: BookSide, taker: Order) -> PriceLevel | None:
        limit = taker.terms.price
        return side.best() if limit is None or side.crosses(limit) else None

    def _trade(
        self, market: Market, side: BookSide, taker: Order, maker: Order, quantity: int, now: int
    ) -> Fill:
        """One trade at the maker's price: money, orders, events. Returns the taker's fill."""
        price = maker.terms.price
        assert price is not None, "an order in the book has a price"
        quote_quantity = market.notional(price, quantity)
        market.traded_at(price)
        maker_fill, taker_fill = self._settle(market, taker, maker, price, quantity, quote_quantity)
        for order in (maker, taker):
            order.executed_quantity += quantity
            order.executed_quote_quantity += quote_quantity
            order.updated_at = now
        assert maker.level is not None
        maker.level.quantity -= quantity
        maker.remaining -= quantity
        if taker.terms.quantity is not None:
            taker.remaining -= quantity
        self._fill_maker(side, maker, maker_fill)
        return taker_fill

    def _settle(
        self,
        market: Market,
        taker: Order,
        maker: Order,
        price: int,
        quantity: int,
        quote_quantity: int,
    ) -> tuple[Fill, Fill]:
        """Exchange the assets, less the fees; announce the trade. Returns both fills."""
        accounts, rules = self._accounts, market.rules
        if taker.is_buy:
            buyer, seller = taker, maker
            buyer_rate, seller_rate = rules.taker_fee_ppm, rules.maker_fee_ppm
            accounts.pay(buyer.account, market.quote, quote_quantity)
            accounts.pay_from_lock(seller.account, market.base, quantity)
        else:
            buyer, seller = maker, taker
            buyer_rate, seller_rate = rules.maker_fee_ppm, rules.taker_fee_ppm
            accounts.pay_from_lock(buyer.account, market.quote, quote_quantity)
            accounts.pay(seller.account, market.base, quantity)
        buyer_fee, seller_fee = fee(quantity, buyer_rate), fee(quote_quantity, seller_rate)
        accounts.receive(buyer.account, market.base, quantity - buyer_fee)
        accounts.receive(seller.account, market.quote, quote_quantity - seller_fee)
        accounts.earn(market.base, buyer_fee)
        accounts.earn(market.quote, seller_fee)
        self._emit(
            Traded(
                rules.symbol,
                market.trade_id,
                price,
                quantity,
                quote_quantity,
                taker.terms.side,
                buyer.account.number,
                seller.account.number,
                buyer.order_id,
                seller.order_id,
                buyer_fee,
                seller_fee,
            )
        )
        common = (market.trade_id, price, quantity, quote_quantity)
        maker_received = (seller_fee, market.quote) if taker.is_buy else (buyer_fee, market.base)
        taker_received = (buyer_fee, market.base) if taker.is_buy else (seller_fee, market.quote)
        return (
            Fill(*common, *maker_received, MAKER),
            Fill(*common, *taker_received, TAKER),
        )

    def _fill_maker(self, side: BookSide, maker: Order, fill: Fill) -> None:
        status = PARTIALLY_FILLED
        if not maker.remaining:
            status = FILLED
            side.remove(maker)
            self._deadlines.discard(maker.order_id)
            maker.account.forget(maker)
        number = maker.account.next_event_number()
        self._emit(OrderUpdated(number, maker.state(status), fill))

    def _fill_taker(self, taker: Order, fill: Fill, complete: bool) -> None:
        status = FILLED if complete else PARTIALLY_FILLED
        number = taker.account.next_event_number()
        self._emit(OrderUpdated(number, taker.state(status), fill))


def _wanted(market: Market, taker: Order, price: int) -> int:
    """How much the taker would still take at that price, in whole steps."""
    budget = taker.terms.quote_quantity
    if budget is None:
        return taker.remaining
    step = market.rules.step
    return (budget - taker.executed_quote_quantity) // market.notional(price, step) * step


def _is_complete(market: Market, side: BookSide, taker: Order, price: int) -> bool:
    """Filled: nothing remains, or what remains of a quote amount buys no step at the best price."""
    if taker.terms.quote_quantity is None:
        return not taker.remaining
    best = side.best()
    return not _wanted(market, taker, best.price if best is not None else price)
