"""A small exchange for tests of the core: one market, whole numbers.

Both assets have scale 0 and the market has tick and step 1, so that a price of 100 and a quantity
of 3 cost 300.
"""

from typing import Any

import msgspec

from engine.core.acceptance import complete_event, complete_reply
from engine.core.commands import (
    CancelOrder,
    Command,
    DefineAsset,
    DefineMarket,
    Deposit,
    OrderTerms,
    PlaceOrder,
)
from engine.core.engine import Engine
from engine.core.events import Event
from engine.core.open_orders import needed_lock
from engine.core.order import Order
from engine.core.replies import OrderReply, Refused, Reply
from engine.core.snapshot import decode_snapshot, encode_snapshot, restore_snapshot, take_snapshot
from engine.core.types import BUY, GTC, IOC, LIMIT, OPEN, POST_ONLY, SELL, OrderType, Side

ALICE, BOB, CAROL = 1, 2, 3
MARKET = "ABCUSD"
RULES = DefineMarket(
    symbol=MARKET,
    base="ABC",
    quote="USD",
    tick=1,
    step=1,
    min_quantity=1,
    max_quantity=10**12,
    min_notional=0,
    band_down_ppm=1,
    band_up_ppm=1_000_000_000,
    maker_fee_ppm=0,
    taker_fee_ppm=0,
)
LATE = 2**53


def order_terms(
    account: int, side: Side, price: int | None, quantity: int | None, **terms: Any
) -> OrderTerms:
    """A limit order, GTC unless said otherwise; IOC and a market order where there is no price."""
    terms.setdefault("type", LIMIT if price is not None else OrderType.MARKET)
    terms.setdefault("time_in_force", GTC if price is not None else IOC)
    terms.setdefault("market", MARKET)
    return OrderTerms(account=account, side=side, price=price, quantity=quantity, **terms)


class Exchange:
    """An engine, everything it said, and short words for what one tells it."""

    def __init__(self, **rules: Any) -> None:
        self.engine = Engine()
        self.events: list[Event] = self.engine.advance(1_000)
        self.do(DefineAsset("ABC", 0))
        self.do(DefineAsset("USD", 0))
        self.do(msgspec.structs.replace(RULES, **rules))

    def do(self, command: Command) -> Reply:
        reply, events = self.engine.apply(command)
        self.events += [complete_event(event, command, self.engine.time) for event in events]
        return complete_reply(reply, command)

    def wait_until(self, time: int) -> None:
        self.events += self.engine.advance(time)

    def fund(self, account: int, **amounts: int) -> None:
        for asset, amount in amounts.items():
            self.do(Deposit(account, asset, amount, f"{account}-{asset}-{len(self.events)}"))

    def place(
        self,
        account: int,
        side: Side,
        price: int | None,
        quantity: int | None,
        *,
        expires_at: int = LATE,
        key: str | None = None,
        **terms: Any,
    ) -> Reply:
        """Returns the reply; `terms` as for `order_terms`."""
        return self.do(
            PlaceOrder(order_terms(account, side, price, quantity, **terms), expires_at, key)
        )

    def buy(self, account: int, price: int | None, quantity: int | None, **terms: Any) -> Reply:
        return self.place(account, BUY, price, quantity, **terms)

    def sell(self, account: int, price: int | None, quantity: int | None, **terms: Any) -> Reply:
        return self.place(account, SELL, price, quantity, **terms)

    def cancel(self, account: int, **ids: Any) -> Reply:
        return self.do(CancelOrder(account, MARKET, **ids))

    def depth(self) -> dict[str, list[tuple[int, int]]]:
        market = self.engine.markets.get(MARKET)
        assert market is not None
        return {
            "bids": [(level.price, level.quantity) for level in market.book.bids],
            "asks": [(level.price, level.quantity) for level in market.book.asks],
        }

    def balance(self, account: int, asset: str) -> tuple[int, int]:
        """Available and locked."""
        owner = self.engine.accounts.get(account)
        if owner is None or asset not in owner.balances:
            return 0, 0
        balance = owner.balances[asset]
        return balance.available, balance.locked

    def of_kind(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def order_of(reply: Reply) -> OrderReply:
    assert isinstance(reply, OrderReply), reply
    return reply


def code_of(reply: Reply) -> Any:
    assert isinstance(reply, Refused), reply
    return reply.code


def fills_of(reply: Reply) -> list[tuple[int, int]]:
    """`(price, quantity)` of each fill."""
    return [(fill.price, fill.quantity) for fill in order_of(reply).fills]


def restored(engine: Engine) -> Engine:
    """The engine after a trip through its encoded snapshot."""
    copy = Engine()
    restore_snapshot(copy, decode_snapshot(encode_snapshot(take_snapshot(engine))))
    return copy


def assert_sound(engine: Engine) -> None:
    """What must hold after every command."""
    for asset, totals in engine.accounts.totals().items():
        assert sum(totals) == 0, f"{asset} does not sum to zero: {totals}"
    locked: dict[tuple[int, str], int] = {}
    for market in engine.markets:
        assert not market.book.is_crossed or market.phase not in (OPEN, POST_ONLY)
        for side in (market.book.bids, market.book.asks):
            prices = [level.price for level in side]
            assert prices == sorted(prices, reverse=side is market.book.bids)
            for level in side:
                orders = list(level)
                assert orders, "an empty level stands in the book"
                assert level.count == len(orders)
                assert level.quantity == sum(order.shown for order in orders)
                assert level.total == sum(order.remaining for order in orders)
                assert all(order.shown > 0 for order in orders)
        for order in market.orders():
            _assert_order_sound(order)
            asset = market.quote if order.is_buy else market.base
            key = order.account.number, asset
            locked[key] = locked.get(key, 0) + order.locked
    for account in engine.accounts:
        for withdrawal in account.withdrawals.values():
            key = account.number, withdrawal.asset
            locked[key] = locked.get(key, 0) + withdrawal.amount
        for balance in account.balances.values():
            assert balance.available >= 0
            assert balance.locked == locked.get((account.number, balance.asset), 0)


def _assert_order_sound(order: Order) -> None:
    assert order.remaining > 0
    taken = order.executed_quantity + order.prevented_quantity
    assert order.remaining + taken == order.terms.quantity
    if order.order_list is None:
        assert order.locked == needed_lock(order.participant.market, order)
    else:
        legs = order.order_list.legs
        needed = max(needed_lock(leg.participant.market, leg) for leg in legs)
        assert sum(leg.locked for leg in legs) == needed
    assert order.participant.orders[order.order_id] is order
