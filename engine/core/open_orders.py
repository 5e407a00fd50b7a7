"""Orders that stay: in the book or waiting for their trigger, and how they leave.

Everything here keeps four things together: the queue an order stands in, what it locks, what its
account remembers of it, and what is said about it.
"""

from typing import Final

from engine.core.accounts import Accounts
from engine.core.deadlines import Deadline, Deadlines, Kind
from engine.core.events import (
    Event,
    Fill,
    OrderAccepted,
    OrderListUpdated,
    OrderState,
    OrderUpdated,
)
from engine.core.markets import Market, Markets
from engine.core.order import Order
from engine.core.order_lists import OrderList
from engine.core.types import CANCELED, EXPIRED, Change, ListStatus, OrderStatus

_order_accepted: Final = OrderAccepted  # bound once, see order.py
_order_updated: Final = OrderUpdated


class OpenOrders:
    def __init__(
        self, accounts: Accounts, markets: Markets, deadlines: Deadlines, events: list[Event]
    ) -> None:
        self._accounts = accounts
        self._markets = markets
        self._deadlines = deadlines
        self._events = events

    def announce_accepted(self, order: Order) -> None:
        """Of the order that the command asked for; its terms stand there."""
        account = order.account
        account.event_number += 1
        self._events.append(_order_accepted(account.event_number, order.order_id))

    def announce(
        self, order: Order, change: Change, status: OrderStatus, fill: Fill | None = None
    ) -> OrderState:
        state = order.state(status)
        account = order.account
        account.event_number += 1
        self._events.append(_order_updated(account.event_number, change, state, fill))
        return state

    def stand(self, market: Market, order: Order, lock: int) -> None:
        """Lock what the rest of the order may cost, and queue it in the book."""
        self._lock(order, lock)
        side = market.book.side_of(order)
        self._markets.level_changed(market, side, side.add(order, order.limit))
        self._remember(order)

    def wait(self, market: Market, order: Order, lock: int) -> None:
        """Lock what the order may cost, and queue it before its trigger."""
        self._lock(order, lock)
        market.triggers.add(order, market.last_price)
        self._remember(order)

    def tie(self, order_list: OrderList, now: int) -> None:
        """Both legs of a list are in their queues: from now on one ends the other."""
        for leg in order_list.legs:
            leg.order_list = order_list
        self._announce_list(order_list, ListStatus.EXECUTING, now)

    def keep(self, leg: Order, now: int) -> None:
        """This leg of a list trades or triggers: the other one expires, and what it locked more."""
        order_list = leg.order_list
        assert order_list is not None
        other = order_list.other(leg)
        locked, needed = leg.locked + other.locked, needed_lock(leg.participant.market, leg)
        leg.locked, other.locked = needed, 0
        if locked > needed:
            self._accounts.unlock(leg.pays, locked - needed)
        self._untie(order_list, now)
        self._leave(other, Change.EXPIRED, EXPIRED, now)

    def end(self, order: Order, change: Change, status: OrderStatus, now: int) -> OrderState:
        """Take an open order out and give back what it locked; the other leg of its list too."""
        order_list = order.order_list
        if order_list is None:
            return self._leave(order, change, status, now)
        self._untie(order_list, now)
        state = self._leave(order, change, status, now)
        other = order_list.other(order)
        if status is CANCELED:
            self._leave(other, Change.CANCELED, CANCELED, now)
        else:
            self._leave(other, Change.EXPIRED, EXPIRED, now)
        return state

    def release(self, order: Order) -> None:
        """Give back what the order locks: it is about to trade, to stand anew, or to end."""
        if order.locked:
            self._accounts.unlock(order.pays, order.locked)
            order.locked = 0

    def lock_only(self, order: Order, amount: int) -> None:
        """Move the order's lock to that amount, which has been checked to be covered."""
        if amount > order.locked:
            self._accounts.lock(order.pays, amount - order.locked)
        elif amount < order.locked:
            self._accounts.unlock(order.pays, order.locked - amount)
        order.locked = amount

    def take_out(self, order: Order) -> None:
        """Out of its queue, and no more; its account still knows it."""
        market = order.participant.market
        if order.level is None:  # triggered, and its turn has not come
            market.triggered.remove(order)
        elif order.waits:
            market.triggers.remove(order)
        else:
            side = market.book.side_of(order)
            self._markets.level_changed(market, side, side.remove(order))

    def forget(self, order: Order) -> None:
        """Its account has it no more."""
        order.participant.forget(order)
        if order.good_till:
            self._deadlines.discard(expiry_of(order))

    def _leave(self, order: Order, change: Change, status: OrderStatus, now: int) -> OrderState:
        self.take_out(order)
        self.release(order)
        self.forget(order)
        order.updated_at = now
        return self.announce(order, change, status)

    def _lock(self, order: Order, amount: int) -> None:
        order.locked = amount
        if amount:
            self._accounts.lock(order.pays, amount)

    def _remember(self, order: Order) -> None:
        order.participant.remember(order)
        if order.good_till:
            self._deadlines.set(expiry_of(order), order.good_till)

    def _untie(self, order_list: OrderList, now: int) -> None:
        for leg in order_list.legs:
            leg.order_list = None
        self._announce_list(order_list, ListStatus.DONE, now)

    def _announce_list(self, order_list: OrderList, status: ListStatus, now: int) -> None:
        account = order_list.legs[0].account
        self._events.append(
            OrderListUpdated(
                account.next_event_number(),
                order_list.list_id,
                account.number,
                order_list.legs[0].terms.market,
                order_list.client_list_id,
                status,
                tuple(leg.order_id for leg in order_list.legs),
                now,
            )
        )


def needed_lock(market: Market, order: Order) -> int:
    """What an order by quantity locks while it is open: limit times remaining, or the remaining."""
    return market.notional(order.limit, order.remaining) if order.is_buy else order.remaining


def expiry_of(order: Order) -> Deadline:
    return Deadline(Kind.ORDER_EXPIRES, order.account.number, order.terms.market, order.order_id)
