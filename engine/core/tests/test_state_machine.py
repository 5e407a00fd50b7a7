"""The engine beside the naive exchange (`naive/`), under any sequence of commands.

After every step both must agree on everything that can be seen, and what always holds must hold.
`HYPOTHESIS_PROFILE=long` runs it for hours instead of seconds: see `conftest.py`.
"""

from collections import defaultdict
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.core.acceptance import complete_event, complete_reply
from engine.core.commands import (
    Command,
)
from engine.core.digest import encode_events
from engine.core.engine import Engine
from engine.core.events import (
    BalanceChanged,
    Deposited,
    DepthChanged,
    Event,
    OrderListUpdated,
    OrderState,
    OrderUpdated,
    PhaseChanged,
    Traded,
    Transferred,
    WithdrawalUpdated,
)
from engine.core.replies import (
    CanceledReply,
    Done,
    OrderListReply,
    OrderReply,
    Refused,
    ReplaceReply,
    Reply,
    WithdrawalReply,
)
from engine.core.snapshot import encode_snapshot, state_hash, take_snapshot
from engine.core.tests.exchange import assert_sound, restored
from engine.core.tests.naive.exchange import (
    Answer,
    ListAnswer,
    NaiveExchange,
    OrderAnswer,
    ReplaceAnswer,
)
from engine.core.tests.naive.market import Place
from engine.core.tests.naive.trading import OrderView, Word
from engine.core.tests.random_commands import BEGIN, GRID, RandomCommands
from engine.core.types import BUY, OPEN, POST_ONLY, SELL, ListStatus, Side

STEPS_WITH_A_TWIN = 8


class Trading(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000
        self.engine = Engine()
        self.engine.advance(self.now)
        self.naive = NaiveExchange(self.now)
        self.twin: Engine | None = None
        """An engine out of a snapshot of the other one: it must have the same future."""
        self.steps_with_twin = 0
        self.history: list[tuple[int, Command | None]] = [(self.now, None)]
        self.encoded: list[bytes] = []
        self.depth: dict[tuple[str, Side], dict[int, int]] = defaultdict(dict)
        self.depth_numbers: dict[str, int] = defaultdict(int)
        self.account_numbers: dict[int, int] = defaultdict(int)
        self.balances: dict[tuple[int, str], tuple[int, int]] = {}
        self.lists: dict[int, ListStatus] = {}
        self.phases = dict.fromkeys(GRID, OPEN)

    # What both are told

    def do(self, command: Command) -> None:
        self.history.append((self.now, command))
        reply, events = self.engine.apply(command)
        answer = self.naive.apply(command)
        told = summary(complete_reply(reply, command))
        assert told == answer, f"{command} was answered differently"
        if self.twin is not None:
            assert self.twin.apply(command) == (reply, events)
        self.encoded.append(encode_events(events))
        self.hear([complete_event(event, command, self.now) for event in events])

    def hear(self, events: list[Event]) -> None:
        """What the engine says is what the naive exchange says, and is complete."""
        heard: dict[int, list[Word]] = defaultdict(list)
        for event in events:
            match event:
                case OrderUpdated(number, change, order, fill):
                    heard[order.order_id].append((change, view(order), fill))
                    self.count(order.terms.account, number)
                    assert_not_too_much(order)
                case DepthChanged():
                    self.depth_numbers[event.market] += 1
                    assert event.number == self.depth_numbers[event.market]
                    self.depth[event.market, event.side][event.price] = event.quantity
                case PhaseChanged():
                    self.phases[event.market] = event.phase
                case Deposited() | Transferred() | WithdrawalUpdated():
                    self.count(event.account, event.number)
                case OrderListUpdated():
                    self.count(event.account, event.number)
                    self.lists[event.list_id] = event.status
                case BalanceChanged():
                    self.count(event.account, event.number)
                    balance = event.available, event.locked
                    self.balances[event.account, event.asset] = balance
        assert heard == {order: words for order, words in self.naive.told.items() if words}
        assert [event for event in events if isinstance(event, Traded)] == self.naive.trades
        self.naive.told.clear()
        self.naive.trades.clear()
        self.check()

    def count(self, account: int, number: int) -> None:
        self.account_numbers[account] += 1
        assert number == self.account_numbers[account], "a gap in the events of an account"

    # What happens

    @initialize(chance=st.randoms(use_true_random=True))
    def open(self, chance: Random) -> None:
        for command in BEGIN:
            self.do(command)
        for symbol in GRID:
            self.do(RandomCommands(chance, self.naive).rules(symbol))

    @rule(chance=st.randoms(use_true_random=True), count=st.integers(1, 20))
    def commands(self, chance: Random, count: int) -> None:
        some = RandomCommands(chance, self.naive)
        for _ in range(count):
            command = some.next()
            if command is not None:
                self.do(command)

    @rule(elapsed=st.integers(0, 25))
    def wait(self, elapsed: int) -> None:
        self.now += elapsed
        self.history.append((self.now, None))
        events = self.engine.advance(self.now)
        if self.twin is not None:
            assert self.twin.advance(self.now) == events
        self.naive.advance(self.now)
        self.encoded.append(encode_events(events))
        self.hear(events)

    @rule()
    def restart_from_snapshot(self) -> None:
        """The old engine goes on as the twin of the new one."""
        self.twin, self.engine = self.engine, restored(self.engine)
        self.steps_with_twin = STEPS_WITH_A_TWIN
        assert encode_snapshot(take_snapshot(self.engine)) == encode_snapshot(
            take_snapshot(self.twin)
        )

    # What holds after each step

    def check(self) -> None:
        assert_sound(self.engine)
        self.orders_agree()
        self.balances_agree()
        self.deadlines_agree()
        if self.twin is not None:
            assert state_hash(self.twin) == state_hash(self.engine)
            self.steps_with_twin -= 1
            self.twin = self.twin if self.steps_with_twin else None

    def orders_agree(self) -> None:
        """In the book and in front of the triggers: each queue, order by order."""
        for symbol, naive in self.naive.markets.items():
            market = self.engine.markets.get(symbol)
            assert market is not None
            for side, levels in ((BUY, market.book.bids), (SELL, market.book.asks)):
                assert [
                    (o.order_id, level.price, o.shown, o.remaining)
                    for level in levels
                    for o in level
                ] == [(o.order_id, o.limit, o.shown, o.remaining) for o in naive.queue(side)]
                assert [(level.price, level.quantity, level.hidden) for level in levels] == (
                    naive.depth(side)
                )
                told = {price: shown for price, shown in self.depth[symbol, side].items() if shown}
                assert told == {price: shown for price, shown, _ in naive.depth(side)}
            waiting = {o.order_id for o in naive.orders if o.place is Place.WAITING}
            assert {order.order_id for order in market.triggers} == waiting
            assert [order.order_id for order in market.triggered] == [
                order.order_id for order in naive.triggered()
            ]
            assert (market.phase, market.last_price) == (naive.phase, naive.last_price)
            assert self.phases[symbol] == naive.phase
            assert not (naive.is_crossed and naive.phase in (OPEN, POST_ONLY))
        tied = {order.list_id for order in self.naive.open_orders() if order.other_leg is not None}
        assert {i for i, status in self.lists.items() if status is ListStatus.EXECUTING} == tied

    def balances_agree(self) -> None:
        for account in self.engine.accounts:
            for asset, balance in account.balances.items():
                seen = balance.available, balance.locked
                key = account.number, asset
                assert seen == (self.naive.available(*key), self.naive.locked(*key))
                assert seen == self.balances.get(key, (0, 0)), "the last word on a balance"
        for asset, totals in self.engine.accounts.totals().items():
            assert totals.house == self.naive.earned[asset]

    def deadlines_agree(self) -> None:
        planned = [entry[0] for entry in self.naive.planned()]
        assert self.engine.next_deadline() == min(planned, default=None)

    def teardown(self) -> None:
        """The same commands at the same times once more: the same, to the byte."""
        engine, encoded = Engine(), []
        for time, command in self.history:
            events = engine.advance(time) if command is None else engine.apply(command)[1]
            encoded.append(encode_events(events))
        assert encoded[1:] == self.encoded
        assert state_hash(engine) == state_hash(self.engine)


def view(order: OrderState) -> OrderView:
    return (
        order.order_id,
        order.status,
        order.executed_quantity,
        order.executed_quote_quantity,
        order.prevented_quantity,
    )


def summary(reply: Reply) -> Answer:
    """The reply in the naive exchange's words."""
    match reply:
        case Done():
            return None
        case Refused():
            return reply.code
        case OrderReply():
            return OrderAnswer(view(reply.order), reply.fills)
        case OrderListReply():
            return ListAnswer(reply.list_id, tuple(view(order) for order in reply.orders))
        case ReplaceReply():
            placed: Any = None if reply.placed is None else summary(reply.placed)
            canceled: Any = summary(reply.canceled)
            return ReplaceAnswer(canceled, placed)
        case CanceledReply():
            assert not reply.more
            return tuple(view(order) for order in reply.orders)
        case WithdrawalReply():
            return reply.withdrawal_id
    raise AssertionError(f"{reply} answers no command")


def assert_not_too_much(order: OrderState) -> None:
    """No order takes more than it asked for."""
    if order.terms.quantity is not None:
        assert order.executed_quantity + order.prevented_quantity <= order.terms.quantity
    if order.terms.quote_quantity is not None:
        assert order.executed_quote_quantity <= order.terms.quote_quantity


TestTrading = Trading.TestCase
