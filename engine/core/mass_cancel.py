"""Cancelling everything an account has: on command, or because nobody said otherwise."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from engine.core.accounts import Accounts
from engine.core.commands import CancelAll, CancelAllAfter
from engine.core.deadlines import Deadline, Deadlines, Kind
from engine.core.events import Event, OrderState, TimerSet
from engine.core.markets import Markets, Participant
from engine.core.open_orders import OpenOrders
from engine.core.order import Order
from engine.core.phases import check_cancel
from engine.core.rejections import Code
from engine.core.replies import CanceledReply, Done, Refused
from engine.core.types import CANCELED, Change

CANCEL_AT_ONCE: Final = 1_000

MAX_TIMEOUT_MS: Final = 24 * 60 * 60 * 1000


class Sweep(NamedTuple):
    """All orders of an account up to one; in one market, or in all where that is empty."""

    account: int
    market: str
    last_order_id: int
    is_timed: bool
    """By a timer, which acts in every phase."""


class MassCancel:
    """Cancels a bounded number at a time; what is left follows with the next ticks."""

    def __init__(
        self,
        accounts: Accounts,
        markets: Markets,
        open_orders: OpenOrders,
        deadlines: Deadlines,
        events: list[Event],
    ) -> None:
        self._accounts = accounts
        self._markets = markets
        self._open_orders = open_orders
        self._deadlines = deadlines
        self._events = events
        self.sweeps: deque[Sweep] = deque()
        """Those that are not through."""

    def cancel_all(
        self, command: CancelAll, last_order_id: int, now: int
    ) -> CanceledReply | Refused:
        if command.market is not None:
            market = self._markets.get(command.market)
            if market is None:
                return Refused(Code.UNKNOWN_MARKET, f"there is no market {command.market[:20]}")
            if refused := check_cancel(market):
                return refused
        sweep = Sweep(command.account, command.market or "", last_order_id, is_timed=False)
        orders = sum(len(place.orders) for place in self._places(sweep))
        states = self._sweep(sweep, now)
        return CanceledReply(tuple(states), orders - len(states))

    def cancel_all_after(self, command: CancelAllAfter, now: int) -> Done | Refused:
        if not 0 <= command.timeout_ms <= MAX_TIMEOUT_MS:
            return Refused(Code.INVALID_TIMER, f"a timer runs 0 to {MAX_TIMEOUT_MS} ms")
        if command.market is not None and self._markets.get(command.market) is None:
            return Refused(Code.UNKNOWN_MARKET, f"there is no market {command.market[:20]}")
        if self._accounts.get(command.account) is None:
            return Refused(Code.INVALID_ACCOUNT, "there is no such account")
        deadline = Deadline(Kind.TIMER_CANCELS, command.account, command.market or "", 0)
        due = None
        if command.timeout_ms:
            due = now + command.timeout_ms
            self._deadlines.set(deadline, due)
        else:
            self._deadlines.discard(deadline)
        self._events.append(TimerSet(command.account, command.market, due))
        return Done()

    def time_out(self, deadline: Deadline, last_order_id: int, now: int) -> None:
        """Nobody renewed the timer."""
        self._events.append(TimerSet(deadline.account, deadline.market or None, None))
        self._sweep(Sweep(deadline.account, deadline.market, last_order_id, is_timed=True), now)

    def go_on(self, now: int) -> None:
        """Continue the oldest sweep that is not through, and whose market allows it now."""
        for sweep in self.sweeps:
            if self._places(sweep):
                self.sweeps.remove(sweep)
                self._sweep(sweep, now)
                return

    @property
    def can_go_on(self) -> bool:
        return any(self._places(sweep) for sweep in self.sweeps)

    def _sweep(self, sweep: Sweep, now: int) -> list[OrderState]:
        """Returns what was cancelled, by market and id, the legs of a list together. What is left
        in a market comes with the next ticks."""
        places = self._places(sweep)
        states = []
        for order in list(islice(_orders(places, sweep), CANCEL_AT_ONCE)):
            if order.order_id not in order.participant.orders:
                continue  # it left with the leg before it
            legs = (order,) if order.order_list is None else order.order_list.legs
            self._open_orders.end(order, Change.CANCELED, CANCELED, now)
            states += [leg.state(CANCELED) for leg in legs]
        for place in places:
            if next(_orders([place], sweep), None) is not None:
                self.sweeps.append(sweep._replace(market=place.market.symbol))
        return states

    def _places(self, sweep: Sweep) -> list[Participant]:
        """The account's places in the markets that the sweep is about and that allow it."""
        account = self._accounts.get(sweep.account)
        if account is None:
            return []
        places = [account.participants[symbol] for symbol in sorted(account.participants)]
        return [
            place
            for place in places
            if sweep.market in ("", place.market.symbol)
            and (sweep.is_timed or check_cancel(place.market) is None)
        ]


def _orders(places: list[Participant], sweep: Sweep) -> Iterator[Order]:
    for place in places:
        for order in place.orders.values():
            if order.order_id > sweep.last_order_id:
                break  # younger ones only from here on
            yield order
