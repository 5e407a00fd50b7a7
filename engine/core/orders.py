"""The life of an order: placed, matched, standing, ended."""

from collections.abc import Callable

from engine.core.accounts import Account, Accounts
from engine.core.commands import CancelOrder, OrderTerms
from engine.core.deadlines import Deadlines
from engine.core.events import Event, OrderState, OrderUpdated
from engine.core.markets import Market, Markets
from engine.core.matching import MAX_FILLS, Matching
from engine.core.order import Order
from engine.core.order_checks import can_fill_completely, check_book, check_funds, check_terms
from engine.core.rejections import Code
from engine.core.replies import OrderReply, Refused
from engine.core.types import CANCELED, EXPIRED, FILLED, FOK, GTC, GTD, NEW, OrderStatus


class Orders:
    """Places, cancels and expires orders. Refuses before it changes anything."""

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
        self._matching = Matching(accounts, markets, deadlines, emit)
        self.last_order_id = 0

    def place(self, terms: OrderTerms, now: int) -> OrderReply | Refused:
        market = self._markets.get(terms.market)
        if market is None:
            return Refused(Code.UNKNOWN_MARKET, f"there is no market {terms.market[:20]}")
        account = self._accounts.get(terms.account)
        refused = (
            check_terms(terms, market, now)
            or check_book(terms, market)
            or check_funds(terms, market, account)
            or _check_client_order_id(terms, account)
        )
        if refused or account is None:
            return refused or Refused(Code.INVALID_ACCOUNT, "there is no such account")
        return self._accept(market, account, terms, now)

    def _accept(
        self, market: Market, account: Account, terms: OrderTerms, now: int
    ) -> OrderReply | Refused:
        self.last_order_id += 1
        order = Order(self.last_order_id, terms, account, now)
        accepted = self._announce(order, NEW)
        if terms.time_in_force is FOK and not can_fill_completely(terms, market):
            return OrderReply(self._announce(order, EXPIRED))
        fills, complete = self._matching.match(market, order, now)
        if complete:
            state = order.state(FILLED)
        elif terms.time_in_force in (GTC, GTD) and len(fills) < MAX_FILLS:
            self._stand(market, order)
            state = order.state(order.open_status) if fills else accepted
        else:
            state = self._announce(order, EXPIRED)
        return OrderReply(state, tuple(fills))

    def _stand(self, market: Market, order: Order) -> None:
        """Lock what the rest of the order may cost, and queue it in the book."""
        price = order.terms.price
        assert price is not None, "only a limit order stands"
        self._accounts.lock(order.account, *_lock(market, order, price))
        side, opposite = market.book.side(order.terms.side), market.book.opposite(order.terms.side)
        assert not opposite.crosses(price), "the book would be crossed"
        level = side.add(order, price)
        self._markets.level_changed(market, side, level)
        order.account.remember(order)
        if order.terms.good_till is not None:
            self._deadlines.add(order, order.terms.good_till)

    def cancel(self, command: CancelOrder, now: int) -> OrderReply | Refused:
        account = self._accounts.get(command.account)
        order = account and account.find(command.market, command.order_id, command.client_order_id)
        if not order:
            return Refused(Code.UNKNOWN_ORDER, "no such open order of this account")
        return OrderReply(self._end(order, CANCELED, now))

    def expire_due(self, now: int, limit: int) -> None:
        """End up to `limit` orders whose date has come; the rest falls due with the next tick."""
        for _ in range(limit):
            order = self._deadlines.pop_due(now)
            if order is None:
                return
            self._end(order, EXPIRED, now)

    def _end(self, order: Order, status: OrderStatus, now: int) -> OrderState:
        """Take a standing order out of the book and give back what it locked."""
        market, price = self._markets.get(order.terms.market), order.terms.price
        assert market is not None
        assert price is not None
        side = market.book.side(order.terms.side)
        level = side.remove(order)
        self._markets.level_changed(market, side, level)
        self._accounts.unlock(order.account, *_lock(market, order, price))
        order.account.forget(order)
        self._deadlines.discard(order.order_id)
        order.updated_at = now
        return self._announce(order, status)

    def _announce(self, order: Order, status: OrderStatus) -> OrderState:
        state = order.state(status)
        self._emit(OrderUpdated(order.account.next_event_number(), state))
        return state


def _lock(market: Market, order: Order, price: int) -> tuple[str, int]:
    """Asset and amount that a standing order locks: limit times remaining, or the remaining."""
    if order.is_buy:
        return market.quote, market.notional(price, order.remaining)
    return market.base, order.remaining


def _check_client_order_id(terms: OrderTerms, account: Account | None) -> Refused | None:
    if account is not None and terms.client_order_id in account.client_orders:
        return Refused(Code.DUPLICATE_CLIENT_ORDER_ID, "an open order has this client order id")
    return None
