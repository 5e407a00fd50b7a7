"""The fast book beside a naive one, under any sequence of commands.

The naive exchange is obviously right and obviously slow: one list of orders, sorted for every
match. After every step both must agree, and everything that always holds must hold.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.core.events import (
    BalanceChanged,
    Deposited,
    DepthChanged,
    OrderUpdated,
    Traded,
)
from engine.core.replies import OrderReply
from engine.core.snapshot import take_snapshot
from engine.core.tests.exchange import (
    ALICE,
    BOB,
    CAROL,
    MARKET,
    Exchange,
    assert_sound,
    order_of,
    restored,
)
from engine.core.types import BUY, FOK, GTC, GTD, IOC, SELL, Side

ACCOUNTS = st.sampled_from([ALICE, BOB, CAROL])
SIDES = st.sampled_from([BUY, SELL])
PRICES = st.integers(90, 110)
QUANTITIES = st.integers(1, 30)


@dataclass
class NaiveOrder:
    order_id: int
    side: Side
    price: int
    remaining: int
    good_till: int | None = None


class NaiveBook:
    """Orders in a list; matching takes the best, then the oldest, one after the other."""

    def __init__(self) -> None:
        self.orders: list[NaiveOrder] = []
        self.trades: list[tuple[int, int, int]] = []

    def queue(self, side: Side) -> list[NaiveOrder]:
        sign = -1 if side is BUY else 1
        mine = [order for order in self.orders if order.side is side]
        return sorted(mine, key=lambda order: (sign * order.price, order.order_id))

    def crossing(self, side: Side, price: int | None) -> list[NaiveOrder]:
        opposite = self.queue(SELL if side is BUY else BUY)
        if price is None:
            return opposite
        return [o for o in opposite if (o.price <= price if side is BUY else o.price >= price)]

    def trade(self, maker: NaiveOrder, quantity: int) -> None:
        self.trades.append((maker.order_id, maker.price, quantity))
        maker.remaining -= quantity
        if not maker.remaining:
            self.orders.remove(maker)

    def take(self, side: Side, price: int | None, quantity: int) -> int:
        for maker in self.crossing(side, price):
            traded = min(quantity, maker.remaining)
            if traded:
                self.trade(maker, traded)
                quantity -= traded
        return quantity

    def spend(self, budget: int) -> None:
        for maker in self.crossing(BUY, None):
            traded = min(budget // maker.price, maker.remaining)
            if not traded:
                return
            self.trade(maker, traded)
            budget -= traded * maker.price

    def remove(self, order_id: int) -> None:
        self.orders = [order for order in self.orders if order.order_id != order_id]

    def depth(self) -> dict[str, list[tuple[int, int]]]:
        levels: dict[str, dict[int, int]] = {"bids": {}, "asks": {}}
        for name, side in (("bids", BUY), ("asks", SELL)):
            for order in self.queue(side):
                levels[name][order.price] = levels[name].get(order.price, 0) + order.remaining
        return {name: list(level.items()) for name, level in levels.items()}


class Trading(RuleBasedStateMachine):
    @initialize(maker=st.integers(-2_000, 5_000), margin=st.integers(0, 5_000))
    def open(self, maker: int, margin: int) -> None:
        self.exchange = Exchange(maker_fee_ppm=maker, taker_fee_ppm=max(0, -maker) + margin)
        self.naive = NaiveBook()
        self.now = 1_000
        for account in (ALICE, BOB, CAROL):
            self.exchange.fund(account, ABC=300, USD=30_000)

    @rule(
        account=ACCOUNTS,
        side=SIDES,
        price=PRICES,
        quantity=QUANTITIES,
        lifetime=st.sampled_from([GTC, GTC, GTC, IOC, FOK, GTD]),
        post_only=st.booleans(),
        patience=st.integers(1, 50),
    )
    def limit(self, lifetime: Any, post_only: bool, patience: int, **order: Any) -> None:
        options: dict[str, Any] = {"time_in_force": lifetime}
        if lifetime is GTD:
            options["good_till"] = self.now + patience
        if post_only and lifetime in (GTC, GTD):
            options["post_only"] = True
        reply = self.exchange.place(**order, **options)
        if not isinstance(reply, OrderReply):
            return
        side, price, rest = order["side"], order["price"], order["quantity"]
        held = sum(maker.remaining for maker in self.naive.crossing(side, price))
        if lifetime is not FOK or held >= rest:
            rest = self.naive.take(side, price, rest)
        if rest and lifetime in (GTC, GTD):
            order_id, till = reply.order.order_id, options.get("good_till")
            self.naive.orders.append(NaiveOrder(order_id, side, price, rest, till))

    @rule(account=ACCOUNTS, side=SIDES, quantity=QUANTITIES)
    def market(self, account: int, side: Side, quantity: int) -> None:
        if isinstance(self.exchange.place(account, side, None, quantity), OrderReply):
            self.naive.take(side, None, quantity)

    @rule(account=ACCOUNTS, budget=st.integers(1, 4_000))
    def market_by_quote(self, account: int, budget: int) -> None:
        reply = self.exchange.buy(account, None, None, quote_quantity=budget)
        if isinstance(reply, OrderReply):
            self.naive.spend(budget)
            assert reply.order.executed_quote_quantity <= budget

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        orders = [o for m in self.exchange.engine.markets for o in m.orders()]
        if orders:
            order = data.draw(st.sampled_from(orders))
            reply = self.exchange.cancel(order.account.number, order_id=order.order_id)
            self.naive.remove(order_of(reply).order.order_id)

    @rule(elapsed=st.integers(0, 30))
    def wait(self, elapsed: int) -> None:
        self.now += elapsed
        self.exchange.wait_until(self.now)
        self.naive.orders = [
            o for o in self.naive.orders if o.good_till is None or o.good_till > self.now
        ]

    @rule()
    def restart_from_snapshot(self) -> None:
        before = take_snapshot(self.exchange.engine)
        self.exchange.engine = restored(self.exchange.engine)
        assert take_snapshot(self.exchange.engine) == before

    @invariant()
    def books_agree(self) -> None:
        assert self.exchange.depth() == self.naive.depth()
        ids = [order.order_id for side in (BUY, SELL) for order in self.naive.queue(side)]
        market = self.exchange.engine.markets.get(MARKET)
        assert market is not None
        assert [order.order_id for order in market.book.orders()] == ids

    @invariant()
    def trades_agree(self) -> None:
        trades = self.exchange.of_kind(Traded)
        assert [trade.trade_id for trade in trades] == list(range(1, len(trades) + 1))
        makers = [
            (t.sell_order_id if t.taker_side is BUY else t.buy_order_id, t.price, t.quantity)
            for t in trades
        ]
        assert makers == self.naive.trades

    @invariant()
    def state_is_sound(self) -> None:
        assert_sound(self.exchange.engine)

    @invariant()
    def depth_changes_build_the_book(self) -> None:
        changes = self.exchange.of_kind(DepthChanged)
        assert [change.number for change in changes] == list(range(1, len(changes) + 1))
        levels: dict[tuple[Side, int], int] = {}
        for change in changes:
            levels[change.side, change.price] = change.quantity
        built = {level for level in levels.items() if level[1]}
        depth = self.exchange.depth()
        assert built == {((BUY, p), q) for p, q in depth["bids"]} | {
            ((SELL, p), q) for p, q in depth["asks"]
        }

    @invariant()
    def account_events_have_no_gap_and_tell_the_balances(self) -> None:
        numbers: dict[int, list[int]] = {ALICE: [], BOB: [], CAROL: []}
        last: dict[tuple[int, str], tuple[int, int]] = {}
        for event in self.exchange.events:
            if isinstance(event, OrderUpdated):
                numbers[event.order.terms.account].append(event.number)
            elif isinstance(event, Deposited | BalanceChanged):
                numbers[event.account].append(event.number)
            if isinstance(event, BalanceChanged):
                last[event.account, event.asset] = event.available, event.locked
        for counted in numbers.values():
            assert counted == list(range(1, len(counted) + 1))
        for (account, asset), balance in last.items():
            assert self.exchange.balance(account, asset) == balance


Trading.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestTrading = Trading.TestCase
