"""The life of an order: placed, matched, standing, changed, ended."""

from typing import Final

from msgspec.structs import replace

from engine.core.acceptance import order_as_accepted
from engine.core.accounts import Account, Accounts
from engine.core.commands import (
    AmendOrder,
    CancelOrder,
    CancelOrderList,
    OrderTerms,
    PlaceOrderList,
    ReplaceOrder,
)
from engine.core.deadlines import Deadline
from engine.core.events import Event, Fill, OrderState, Rejected
from engine.core.liquidity import can_fill
from engine.core.markets import Market, Markets, Participant
from engine.core.matching import COMPLETE, EXHAUSTED, GUARDED, STOPPED, Matching
from engine.core.open_orders import OpenOrders, needed_lock
from engine.core.order import Order
from engine.core.order_checks import (
    check_account,
    check_book,
    check_client_order_id,
    check_funds,
    check_limits,
    check_notional_limit,
    check_phase,
    check_terms,
    check_trigger,
    cost_of,
    limit_of,
    valuation_price,
)
from engine.core.order_lists import OrderList, problem_with_legs
from engine.core.phases import Phases, can_trade, check_cancel
from engine.core.rejections import Code
from engine.core.replies import Accepted, OrderListReply, OrderReply, Refused, ReplaceReply
from engine.core.trigger_queue import TriggerQueue
from engine.core.types import (
    ACCEPTED,
    AMENDED,
    CANCELED,
    EXPIRED,
    MAX_EVENTS,
    NEW,
    OPEN,
    PREVENTED,
    TRIGGERED,
    Change,
    ReplaceMode,
)

_accepted: Final = Accepted  # bound once, see order.py
_order_reply: Final = OrderReply

_UNKNOWN_ORDER: Final = Refused(Code.UNKNOWN_ORDER, "no such open order of this account")
_RESTRICTED: Final = Refused(Code.CANCEL_RESTRICTED, "the order is not in the state asked for")


class Orders:
    """Places, changes and ends orders. Refuses before it changes anything."""

    def __init__(
        self,
        accounts: Accounts,
        markets: Markets,
        open_orders: OpenOrders,
        matching: Matching,
        phases: Phases,
        trigger_queue: TriggerQueue,
        events: list[Event],
    ) -> None:
        self._accounts = accounts
        self._markets = markets
        self._open_orders = open_orders
        self._matching = matching
        self._phases = phases
        self._trigger_queue = trigger_queue
        self._events = events
        self.last_order_id = 0
        self.last_list_id = 0

    # Placing

    def place(self, terms: OrderTerms, now: int) -> OrderReply | Accepted | Refused:
        order = self._draft(terms, now)
        if not isinstance(order, Order):
            return order
        market = order.participant.market
        refused = check_phase(order, market) or check_terms(order, market, now)
        if refused:
            return refused
        order.limit = limit_of(order, market)
        cost = cost_of(order, market)
        refused = (
            check_account(order.account)
            or check_client_order_id(order.client_order_id, order.participant)
            or check_limits(order, market, 1, 1)
            or check_trigger(order, market)
            or check_book(order, market)
            or check_funds(order.pays, cost)
        )
        if refused:
            return refused
        self._accept(order)
        self._open_orders.announce_accepted(order)
        if order.waits:
            self._open_orders.wait(market, order, cost)
            return _accepted(order.order_id, now)
        state, fills = self._work(market, order, now)
        return _accepted(order.order_id, now) if state is None else _order_reply(state, fills)

    def _draft(self, terms: OrderTerms, now: int) -> Order | Refused:
        """The order as it would be, without a number yet."""
        market = self._markets.get(terms.market)
        if market is None:
            return Refused(Code.UNKNOWN_MARKET, f"there is no market {terms.market[:20]}")
        account = self._accounts.get(terms.account) or Account(terms.account)
        return Order(0, terms, self._markets.participant(account, market), now)

    def _accept(self, order: Order) -> None:
        self.last_order_id += 1
        order.order_id = self.last_order_id
        if not order.waits:
            order.working_since = order.created_at

    def _work(
        self, market: Market, order: Order, now: int
    ) -> tuple[OrderState | None, tuple[Fill, ...]]:
        """Trade what can trade now; the rest stands or expires.

        Returns the order's state if that is another than the last announced, and its fills.
        """
        if market.phase is not OPEN:
            self._open_orders.stand(market, order, needed_lock(market, order))
            return None, ()
        if order.is_fok and not can_fill(market, order, now):
            return self._drop(order, Change.EXPIRED, now), ()
        fills, state, outcome = self._matching.match(market, order, now)
        if fills:
            self._trigger_queue.price_moved(market, fills[0].price, fills[-1].price)
        if outcome is GUARDED:
            self._phases.pause(market, now)
        if outcome is COMPLETE:
            self._open_orders.forget(order)
            return state, tuple(fills)
        if outcome is STOPPED:
            return self._drop(order, PREVENTED, now), tuple(fills)
        if order.can_stand and outcome is not EXHAUSTED:
            self._open_orders.stand(market, order, needed_lock(market, order))
            return state, tuple(fills)
        return self._drop(order, Change.EXPIRED, now), tuple(fills)

    def _drop(self, order: Order, change: Change, now: int) -> OrderState:
        """What is left of an order that is in no queue expires."""
        order.updated_at = now
        self._open_orders.forget(order)
        return self._open_orders.announce(order, change, EXPIRED)

    # Lists

    def place_list(self, command: PlaceOrderList, now: int) -> OrderListReply | Refused:
        legs: list[Order] = []
        for terms in command.legs:
            leg = self._draft(terms, now)
            if not isinstance(leg, Order):
                return leg
            market = leg.participant.market
            if refused := check_phase(leg, market) or check_terms(leg, market, now):
                return refused
            leg.limit = limit_of(leg, market)
            legs.append(leg)
        first, second = legs
        if problem := problem_with_legs(first, second):
            return Refused(Code.INVALID_ORDER_LIST, problem)
        market = first.participant.market
        conditional = first.is_conditional + second.is_conditional
        for leg in legs:
            refused = (
                check_account(leg.account)
                or check_client_order_id(leg.client_order_id, leg.participant)
                or check_limits(leg, market, 2, conditional)
                or check_trigger(leg, market)
                or check_book(leg, market)
            )
            if refused:
                return refused
        costs = [cost_of(leg, market) for leg in legs]
        if refused := check_funds(first.pays, max(costs)):
            return refused
        return self._accept_list(command, market, legs, costs, now)

    def _accept_list(
        self,
        command: PlaceOrderList,
        market: Market,
        legs: list[Order],
        costs: list[int],
        now: int,
    ) -> OrderListReply:
        """The leg that costs more holds the lock of both."""
        self.last_list_id += 1
        for leg in legs:
            leg.list_id = self.last_list_id
        states = []
        for leg in legs:
            self._accept(leg)
            states.append(self._open_orders.announce(leg, ACCEPTED, NEW))
        holder = 0 if costs[0] >= costs[1] else 1
        for index, leg in enumerate(legs):
            lock = costs[holder] if index == holder else 0
            if leg.waits:
                self._open_orders.wait(market, leg, lock)
            else:
                self._open_orders.stand(market, leg, lock)
        order_list = OrderList(self.last_list_id, command.client_list_id, (legs[0], legs[1]))
        self._open_orders.tie(order_list, now)
        return OrderListReply(order_list.list_id, tuple(states))

    def cancel_list(self, command: CancelOrderList, now: int) -> OrderListReply | Refused:
        participant = self._participant(command.account, command.market)
        order_list = participant and _find_list(participant, command)
        if not participant or not order_list:
            return Refused(Code.UNKNOWN_ORDER_LIST, "no such open order list of this account")
        if refused := check_cancel(participant.market):
            return refused
        first, second = order_list.legs
        self._open_orders.end(first, Change.CANCELED, CANCELED, now)
        return OrderListReply(order_list.list_id, (first.state(CANCELED), second.state(CANCELED)))

    # Changing

    def amend(self, command: AmendOrder, now: int) -> OrderReply | Refused:
        order = self.find(
            command.account, command.market, command.order_id, command.client_order_id
        )
        if order is None:
            return _UNKNOWN_ORDER
        terms = _amended(order.terms, command)
        market = order.participant.market
        amended = Order(order.order_id, terms, order.participant, now)
        amended.limit = amended.price or order.limit
        amended.waits = order.waits
        taken = order.executed_quantity + order.prevented_quantity
        amended.remaining = amended.quantity - taken
        refused = (
            check_phase(amended, market)
            or _check_amendment(order, amended)
            or check_terms(amended, market, now)
            or check_account(order.account)
        )
        if refused:
            return refused
        if amended.client_order_id != order.client_order_id and (
            refused := check_client_order_id(amended.client_order_id, order.participant)
        ):
            return refused
        worth = market.notional(valuation_price(amended, market), amended.remaining)
        worth -= market.notional(valuation_price(order, market), order.remaining)
        refused = (
            (check_notional_limit(worth, order.participant) if worth > 0 else None)
            or check_book(amended, market)
            or check_funds(order.pays, needed_lock(market, amended) - order.locked)
        )
        return refused or self._change(market, order, amended, now)

    def _change(self, market: Market, order: Order, amended: Order, now: int) -> OrderReply:
        """Less quantity at the same price is taken where the order stands; else it comes anew."""
        limit, remaining = amended.limit, amended.remaining
        keeps_place = order.waits or (limit == order.limit and remaining <= order.remaining)
        order.updated_at = now
        if not keeps_place:
            self._open_orders.take_out(order)
            self._open_orders.release(order)
            order.remaining = remaining
        elif order.level is not None:
            order.level.resize(order, remaining)
        else:  # triggered, and its turn has not come
            order.remaining = remaining
        order.participant.rename(order, amended.client_order_id)
        order.set_terms(amended.terms)
        order.limit = limit
        if keeps_place:
            if not order.waits and order.level is not None:
                self._markets.level_changed(market, market.book.side_of(order), order.level)
            self._open_orders.lock_only(order, needed_lock(market, order))
        state = self._open_orders.announce(order, AMENDED, order.open_status)
        if keeps_place:
            return _order_reply(state)
        last_state, fills = self._work(market, order, now)
        return _order_reply(last_state or state, fills)

    def replace(self, command: ReplaceOrder, now: int) -> ReplaceReply:
        terms = command.terms
        canceled = self.cancel(
            CancelOrder(
                terms.account,
                terms.market,
                command.order_id,
                command.client_order_id,
                command.only,
            ),
            now,
        )
        if isinstance(canceled, Refused):
            self._events.append(Rejected(canceled.code, canceled.detail))
            if command.mode is ReplaceMode.STOP_ON_FAILURE:
                return ReplaceReply(canceled, None)
        placed = self.place(terms, now)
        if isinstance(placed, Refused):
            self._events.append(Rejected(placed.code, placed.detail))
        elif isinstance(placed, Accepted):
            placed = OrderReply(order_as_accepted(terms, placed.order_id, now))
        return ReplaceReply(canceled, placed)

    # Ending

    def cancel(self, command: CancelOrder, now: int) -> OrderReply | Refused:
        order = self.find(
            command.account, command.market, command.order_id, command.client_order_id
        )
        if order is None:
            return _UNKNOWN_ORDER
        if refused := check_cancel(order.participant.market):
            return refused
        if command.only is not None and command.only is not order.open_status:
            return _RESTRICTED
        return _order_reply(self._open_orders.end(order, Change.CANCELED, CANCELED, now))

    def expire(self, deadline: Deadline, now: int) -> None:
        """The order's date has come."""
        participant = self._participant(deadline.account, deadline.market)
        assert participant is not None
        order = participant.orders[deadline.order_id]
        self._open_orders.end(order, Change.EXPIRED, EXPIRED, now)

    # Triggers

    def work_off_triggers(self, now: int) -> None:
        """Let triggered orders trade, one after the other; their trades may trigger more."""
        for market in self._trigger_queue.markets():
            while market.triggered and can_trade(market) and len(self._events) < MAX_EVENTS:
                self._trigger(market, market.triggered.popleft(), now)
            self._trigger_queue.settle(market)

    def _trigger(self, market: Market, order: Order, now: int) -> None:
        if order.order_list is not None:
            self._open_orders.keep(order, now)
        self._open_orders.release(order)
        order.participant.starts_to_work(order)
        order.working_since = order.updated_at = now
        if order.account.frozen:
            self._drop(order, Change.EXPIRED, now)
            return
        self._open_orders.announce(order, TRIGGERED, NEW)
        self._work(market, order, now)

    def _participant(self, account_number: int, market: str) -> Participant | None:
        account = self._accounts.get(account_number)
        return account.participants.get(market) if account is not None else None

    def find(
        self, account: int, market: str, order_id: int | None, client_order_id: str | None
    ) -> Order | None:
        """An open order of that account and market by either id."""
        participant = self._participant(account, market)
        return participant.find(order_id, client_order_id) if participant is not None else None


def _amended(terms: OrderTerms, command: AmendOrder) -> OrderTerms:
    return replace(
        terms,
        price=terms.price if command.price is None else command.price,
        quantity=terms.quantity if command.quantity is None else command.quantity,
        client_order_id=command.new_client_order_id or terms.client_order_id,
    )


def _check_amendment(order: Order, amended: Order) -> Refused | None:
    problem = None
    if order.order_list is not None:
        problem = "a leg of an order list cannot be amended"
    elif amended.terms == order.terms:
        problem = "it changes nothing"
    elif amended.price and not order.price:
        problem = "an order without a limit gets none"
    elif amended.remaining <= 0:
        problem = "so much of the order is filled already"
    return Refused(Code.INVALID_AMENDMENT, problem) if problem else None


def _find_list(participant: Participant, command: CancelOrderList) -> OrderList | None:
    """An open list by either id; by both, where both are given."""
    list_id, client_list_id = command.list_id, command.client_list_id
    if list_id is None and client_list_id is None:
        return None
    for order in participant.orders.values():
        order_list = order.order_list
        if (
            order_list is not None
            and list_id in (None, order_list.list_id)
            and client_list_id in (None, order_list.client_list_id)
        ):
            return order_list
    return None
