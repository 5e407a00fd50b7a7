"""The engine: a pure function of its commands and their times.

No IO, no clock, no randomness, no floats. The same commands at the same times give the same
events, the same replies and the same state, on any machine: that is what recovery, standbys and
audits rest on.
"""

from collections.abc import Callable
from typing import Any, Final

from engine.core.accounts import Accounts
from engine.core.commands import (
    CancelOrder,
    Command,
    DefineAsset,
    DefineMarket,
    Deposit,
    Malformed,
    PlaceOrder,
    Poison,
)
from engine.core.deadlines import Deadlines
from engine.core.events import Deposited, Event, Rejected
from engine.core.idempotency import Idempotency
from engine.core.markets import Markets
from engine.core.orders import Orders
from engine.core.rejections import Code
from engine.core.replies import Done, Refused, Reply
from engine.core.types import MAX_AMOUNT

CORE_VERSION: Final = 1
"""Raised with every change that could turn the same commands into other events."""

KEEP_ORDER_KEYS: Final = 1_000_000
"""Of all accounts together: more than a day of what one caller's request limit allows."""

EXPIRE_AT_ONCE: Final = 256
"""How many orders may expire in one tick; the next tick follows at once."""


class Engine:
    """Builds and wires the services of the core, and gives each command to its own."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        emit = self._events.append
        self.time = 0
        self.accounts = Accounts(emit)
        self.markets = Markets(emit)
        self.deadlines = Deadlines()
        self.orders = Orders(self.accounts, self.markets, self.deadlines, emit)
        self.order_keys = Idempotency(keep_count=KEEP_ORDER_KEYS)
        self.deposit_keys = Idempotency()
        """Bounded in time alone: no flood of orders may make a deposit count twice."""
        self._emit = emit
        self._handlers: dict[type, Callable[[Any, int], Reply]] = {
            PlaceOrder: self._place_order,
            CancelOrder: self.orders.cancel,
            Deposit: self._deposit,
            DefineAsset: self._define_asset,
            DefineMarket: self._define_market,
            Malformed: self._malformed,
            Poison: self._poison,
        }

    def next_deadline(self) -> int | None:
        """When `advance` will have something to do; None while nothing is planned."""
        return self.deadlines.next()

    def advance(self, now: int) -> list[Event]:
        """Move the time to `now` and do what is due by then. Time never runs backwards.

        It begins a batch, and every batch is journalled: whatever changes here is replayed.
        """
        assert now >= self.time, "time runs backwards"
        self.time = now
        self.orders.expire_due(now, EXPIRE_AT_ONCE)
        self.accounts.announce()
        return self._take_events()

    def apply(self, command: Command) -> tuple[Reply, list[Event]]:
        """Do what the command says, at the time of the last `advance`.

        A refusal is a reply like any other, and has changed nothing. An exception is a bug: the
        engine must not be used any more.
        """
        reply = self._handlers[type(command)](command, self.time)
        if type(reply) is Refused:
            self._emit(Rejected(reply.code, reply.detail))
        self.accounts.announce()
        return reply, self._take_events()

    def _take_events(self) -> list[Event]:
        events = self._events.copy()
        self._events.clear()
        return events

    def _place_order(self, command: PlaceOrder, now: int) -> Reply:
        terms, key = command.terms, command.key
        if key is not None and (first := self.order_keys.recall(terms.account, key, terms, now)):
            return first
        if now > command.expires_at:
            reply: Reply = Refused(Code.EXPIRED, "the order came too late to be placed")
        else:
            reply = self.orders.place(terms, now)
        if key is not None:
            self.order_keys.remember(terms.account, key, terms, reply, now)
        return reply

    def _deposit(self, command: Deposit, now: int) -> Reply:
        content = (command.asset, command.amount)
        if first := self.deposit_keys.recall(command.account, command.key, content, now):
            return first
        if refused := self._check_deposit(command):
            return refused  # not remembered: the same deposit may be right later
        account = self.accounts.open(command.account)
        self.accounts.deposit(account, command.asset, command.amount)
        number = account.next_event_number()
        self._emit(Deposited(number, account.number, command.asset, command.amount, command.key))
        self.deposit_keys.remember(account.number, command.key, content, Done(), now)
        return Done()

    def _check_deposit(self, command: Deposit) -> Refused | None:
        if not 0 < command.account <= MAX_AMOUNT:
            return Refused(Code.INVALID_ACCOUNT, "an account number is positive")
        external = self.accounts.external.get(command.asset)
        if external is None:
            return Refused(Code.UNKNOWN_ASSET, f"there is no asset {command.asset[:20]}")
        owed = external + min(0, self.accounts.house[command.asset])
        if not 0 < command.amount <= MAX_AMOUNT + owed:
            return Refused(Code.AMOUNT_OUT_OF_RANGE, "all of an asset together stays below 2^63")
        return None

    def _define_asset(self, command: DefineAsset, _now: int) -> Reply:
        if refused := self.markets.define_asset(command):
            return refused
        self.accounts.open_asset(command.symbol)
        return Done()

    def _define_market(self, command: DefineMarket, _now: int) -> Reply:
        return self.markets.define_market(command) or Done()

    def _malformed(self, command: Malformed, _now: int) -> Reply:
        return Refused(Code.MALFORMED, f"{command.size} bytes that are no command")

    def _poison(self, _command: Poison, _now: int) -> Reply:
        return Refused(Code.POISON, "the engine failed on this command and will not try it again")
