"""The engine: a pure function of its commands and their times.

No IO, no clock, no randomness, no floats. The same commands at the same times give the same
events, the same replies and the same state, on any machine: that is what recovery, standbys and
audits rest on.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from engine.core.account_rules import AccountRules
from engine.core.accounts import Accounts
from engine.core.auctions import Auctions
from engine.core.commands import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrder,
    CancelOrderList,
    Command,
    ConfigureAccount,
    DefineAsset,
    DefineMarket,
    Deposit,
    LimitNotional,
    Malformed,
    PlaceOrder,
    PlaceOrderList,
    Poison,
    ReleaseWithdrawal,
    ReplaceOrder,
    ReserveWithdrawal,
    SetFees,
    SetPhase,
    SettleWithdrawal,
    Transfer,
)
from engine.core.deadlines import Deadlines, Kind
from engine.core.events import Event, Rejected
from engine.core.funds import Funds
from engine.core.idempotency import Idempotency
from engine.core.markets import Markets
from engine.core.mass_cancel import MassCancel
from engine.core.matching import Matching
from engine.core.open_orders import OpenOrders
from engine.core.orders import Orders
from engine.core.phases import Phases, can_trade
from engine.core.rejections import Code
from engine.core.replies import Done, Refused, Reply
from engine.core.settlement import Settlement
from engine.core.trigger_queue import TriggerQueue
from engine.core.types import MAX_EVENTS

CORE_VERSION: Final = 4
"""Raised with every change that could turn the same commands into other events."""

KEEP_ORDER_KEYS: Final = 1_000_000
"""Of all accounts together, the newest. A key that newer ones push out before its 24 hours are over
answers no more."""

# Bound once, see order.py.
_PLACE_ORDER: Final = PlaceOrder
_CANCEL_ORDER: Final = CancelOrder
_REFUSED: Final = Refused

_TOO_LATE: Final = Refused(Code.EXPIRED, "the order came too late to be placed")


class Engine:
    """Builds and wires the services of the core, and gives each command to its own."""

    def __init__(self) -> None:
        events = self._events = list[Event]()
        self.time = 0
        self.accounts = Accounts(events)
        self.markets = Markets(events)
        self.deadlines = Deadlines()
        self.trigger_queue = TriggerQueue()
        self.funds = Funds(self.accounts, events)
        self.account_rules = AccountRules(self.accounts, self.markets, events)
        open_orders = OpenOrders(self.accounts, self.markets, self.deadlines, events)
        settlement = Settlement(self.accounts, events)
        matching = Matching(self.markets, open_orders, settlement)
        auctions = Auctions(self.markets, open_orders, settlement, self.trigger_queue)
        self.phases = Phases(self.markets, auctions, self.deadlines, events)
        self.orders = Orders(
            self.accounts,
            self.markets,
            open_orders,
            matching,
            self.phases,
            self.trigger_queue,
            events,
        )
        self.mass_cancel = MassCancel(
            self.accounts, self.markets, open_orders, self.deadlines, events
        )
        self.order_keys = Idempotency(keep_count=KEEP_ORDER_KEYS)
        self.money_keys = Idempotency()
        """Bounded in time alone: no flood of orders may make a deposit count twice."""
        self._handlers: dict[type, Callable[[Any, int], Reply]] = {
            AmendOrder: self._amend_order,
            ReplaceOrder: self._replace_order,
            PlaceOrderList: self._place_order_list,
            CancelOrderList: self.orders.cancel_list,
            CancelAll: self._cancel_all,
            CancelAllAfter: self.mass_cancel.cancel_all_after,
            Deposit: self._deposit,
            Transfer: self._transfer,
            ReserveWithdrawal: self._reserve_withdrawal,
            SettleWithdrawal: lambda command, _now: self.funds.settle(command),
            ReleaseWithdrawal: lambda command, _now: self.funds.release(command),
            ConfigureAccount: lambda command, _now: self.account_rules.configure(command),
            LimitNotional: lambda command, _now: self.account_rules.limit_notional(command),
            DefineAsset: self._define_asset,
            DefineMarket: self._define_market,
            SetFees: self._set_fees,
            SetPhase: self.phases.set,
            Malformed: self._malformed,
            Poison: self._poison,
        }

    def next_deadline(self) -> int | None:
        """When `advance` will have something to do: now, where work was left; None for never."""
        if self.phases.is_uncrossing or self.mass_cancel.can_go_on:
            return self.time
        if any(can_trade(market) for market in self.trigger_queue.markets()):
            return self.time
        return self.deadlines.next()

    def advance(self, now: int) -> list[Event]:
        """Move the time to `now` and do what is due by then. Time never runs backwards.

        It begins a batch, and every batch is journalled: whatever changes here is replayed.
        """
        assert now >= self.time, "time runs backwards"
        self.time = now
        self._serve_deadlines(now)
        self.phases.go_on(now)
        self.mass_cancel.go_on(now)
        self.orders.work_off_triggers(now)
        self.accounts.announce()
        return self._take_events()

    def apply(self, command: Command) -> tuple[Reply, list[Event]]:
        """Do what the command says, at the time of the last `advance`.

        A refusal is a reply like any other, and has changed nothing. An exception is a bug: the
        engine must not be used any more.
        """
        kind = type(command)
        if kind is _PLACE_ORDER:  # the most frequent ones without a detour
            reply = self._place_order(cast(PlaceOrder, command), self.time)
        elif kind is _CANCEL_ORDER:
            reply = self.orders.cancel(cast(CancelOrder, command), self.time)
        else:
            reply = self._handlers[kind](command, self.time)
        if type(reply) is _REFUSED:
            self._events.append(Rejected(reply.code, reply.detail))
        else:
            self.orders.work_off_triggers(self.time)
        self.accounts.announce()
        return reply, self._take_events()

    def _take_events(self) -> list[Event]:
        events = self._events.copy()
        self._events.clear()
        return events

    def _serve_deadlines(self, now: int) -> None:
        while len(self._events) < MAX_EVENTS:
            due = self.deadlines.pop_due(now)
            if due is None:
                return
            if due.kind is Kind.ORDER_EXPIRES:
                self.orders.expire(due, now)
            elif due.kind is Kind.TIMER_CANCELS:
                self.mass_cancel.time_out(due, self.orders.last_order_id, now)
            else:
                self.phases.end_call(due.market, now)

    def _place_order(self, command: PlaceOrder, now: int) -> Reply:
        terms, key = command.terms, command.key
        if key is None:
            return _TOO_LATE if now > command.expires_at else self.orders.place(terms, now)
        if first := self.order_keys.recall(terms.account, key, terms, now):
            return first
        late = now > command.expires_at
        reply: Reply = _TOO_LATE if late else self.orders.place(terms, now)
        self.order_keys.remember(terms.account, key, terms, reply, now)
        return reply

    def _place_order_list(self, command: PlaceOrderList, now: int) -> Reply:
        account, key = command.legs[0].account, command.key
        content = (command.legs, command.client_list_id)
        if key is not None and (first := self.order_keys.recall(account, key, content, now)):
            return first
        late = now > command.expires_at
        reply: Reply = _TOO_LATE if late else self.orders.place_list(command, now)
        if key is not None:
            self.order_keys.remember(account, key, content, reply, now)
        return reply

    def _amend_order(self, command: AmendOrder, now: int) -> Reply:
        if now > command.expires_at:
            return Refused(Code.EXPIRED, "the change came too late")
        return self.orders.amend(command, now)

    def _replace_order(self, command: ReplaceOrder, now: int) -> Reply:
        return _TOO_LATE if now > command.expires_at else self.orders.replace(command, now)

    def _cancel_all(self, command: CancelAll, now: int) -> Reply:
        return self.mass_cancel.cancel_all(command, self.orders.last_order_id, now)

    # What moves money from outside is not remembered where it was refused: the same deposit may
    # be right later.

    def _deposit(self, command: Deposit, now: int) -> Reply:
        content = (command.asset, command.amount)
        return self._once(
            command.account, command.key, content, now, lambda: self.funds.deposit(command)
        )

    def _transfer(self, command: Transfer, now: int) -> Reply:
        content = (command.to, command.asset, command.amount)
        return self._once(
            command.account, command.key, content, now, lambda: self.funds.transfer(command)
        )

    def _reserve_withdrawal(self, command: ReserveWithdrawal, now: int) -> Reply:
        content = ("withdrawal", command.asset, command.amount)
        return self._once(
            command.account, command.key, content, now, lambda: self.funds.reserve(command)
        )

    def _once(
        self, account: int, key: str, content: object, now: int, act: Callable[[], Reply]
    ) -> Reply:
        if first := self.money_keys.recall(account, key, content, now):
            return first
        reply = act()
        if type(reply) is not Refused:
            self.money_keys.remember(account, key, content, reply, now)
        return reply

    def _define_asset(self, command: DefineAsset, _now: int) -> Reply:
        if refused := self.markets.define_asset(command):
            return refused
        self.accounts.open_asset(command.symbol)
        return Done()

    def _define_market(self, command: DefineMarket, now: int) -> Reply:
        return self.markets.define_market(command, iter(self.accounts), now) or Done()

    def _set_fees(self, command: SetFees, _now: int) -> Reply:
        return self.markets.set_fees(command, iter(self.accounts)) or Done()

    def _malformed(self, command: Malformed, _now: int) -> Reply:
        return Refused(Code.MALFORMED, f"{command.size} bytes that are no command")

    def _poison(self, _command: Poison, _now: int) -> Reply:
        return Refused(Code.POISON, "the engine failed on this command and will not try it again")
