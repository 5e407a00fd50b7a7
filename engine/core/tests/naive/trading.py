"""What happens to orders in the naive exchange: they trade, stand, wait, trigger, leave.

Nothing is kept that can be counted: what is locked is what the open orders and reserved
withdrawals of the moment lock, and what is available is the rest. Nothing is refused here.
"""

from collections import defaultdict
from copy import copy
from dataclasses import dataclass, replace
from enum import Enum

from engine.core.commands import (
    ConfigureAccount,
    OrderTerms,
)
from engine.core.events import Fill, Traded
from engine.core.tests.naive.market import (
    NaiveMarket,
    NaiveOrder,
    Place,
    ceil_div,
    rises_to_its_stop,
)
from engine.core.tests.naive.refusals import (
    worst_price,
)
from engine.core.types import (
    BASIS_POINTS,
    BUY,
    DECREMENT,
    EXPIRE_BOTH,
    EXPIRE_MAKER,
    EXPIRE_TAKER,
    EXPIRED,
    FILLED,
    FOK,
    MAKER,
    NEW,
    NO_PREVENTION,
    OPEN,
    PPM,
    PRE_OPEN,
    PREVENTED,
    SELL,
    TAKER,
    TRADED,
    TRIGGERED,
    Change,
    OrderStatus,
)

OrderView = tuple[int, OrderStatus, int, int, int]
"""Id, status, and the executed, executed quote and prevented quantity."""


Word = tuple[Change, OrderView, Fill | None]
"""What happened to an order, what it is then, and with a trade its fill."""


def view(order: NaiveOrder) -> OrderView:
    return (
        order.order_id,
        order.status,
        order.executed,
        order.executed_quote,
        order.prevented,
    )


@dataclass
class NaiveAccount:
    settings: ConfigureAccount
    notional_limits: dict[str, int]


@dataclass(frozen=True)
class NaiveWithdrawal:
    withdrawal_id: int
    account: int
    asset: str
    amount: int


class Ending(Enum):
    """Why an order trades no further."""

    COMPLETE = "complete"
    DRY = "dry"  # nothing is left within its limit
    PREVENTED = "prevented"  # self-trade prevention took the rest
    GUARDED = "guarded"  # the next trade would be too far from the last prices


class NaiveTrading:
    def __init__(self, now: int) -> None:
        self.now = now
        self.scales: dict[str, int] = {}
        self.markets: dict[str, NaiveMarket] = {}
        self.accounts: dict[int, NaiveAccount] = {}
        self.owned: dict[tuple[int, str], int] = defaultdict(int)
        """What an account has of an asset, locked or not."""
        self.withdrawals: list[NaiveWithdrawal] = []
        self.list_names: dict[int, str | None] = {}
        self.timers: dict[tuple[int, str], int] = {}
        self.arrivals = 0
        self.last_order_id = 0
        self.last_list_id = 0
        self.last_withdrawal_id = 0
        self.trades: list[Traded] = []
        self.fills: dict[int, list[Fill]] = defaultdict(list)
        """By order."""
        self.earned: dict[str, int] = defaultdict(int)
        """Fees of each asset."""
        self.told: dict[int, list[Word]] = defaultdict(list)
        """What was said about each order, one after the other."""

    # What there is

    def open_orders(self) -> list[NaiveOrder]:
        return [order for market in self.markets.values() for order in market.orders]

    def locked(self, account: int, asset: str) -> int:
        """The table "What an order locks"; of two tied legs the larger lock."""
        total = sum(w.amount for w in self.withdrawals if (w.account, w.asset) == (account, asset))
        lists: dict[int, int] = {}
        for market in self.markets.values():
            for order in market.orders:
                pays = market.rules.quote if order.is_buy else market.rules.base
                if (order.terms.account, pays) != (account, asset):
                    continue
                lock = self._lock_of(order, market)
                if order.other_leg is None:
                    total += lock
                else:
                    lists[order.list_id or 0] = max(lists.get(order.list_id or 0, 0), lock)
        return total + sum(lists.values())

    def available(self, account: int, asset: str) -> int:
        return self.owned[account, asset] - self.locked(account, asset)

    def _lock_of(self, order: NaiveOrder, market: NaiveMarket) -> int:
        if order.is_buy:
            return market.notional(order.limit or 0, order.remaining)
        return order.remaining

    # Orders

    def _trial(self, terms: OrderTerms, market: NaiveMarket) -> NaiveOrder:
        remaining = terms.quantity or terms.quote_quantity or 0
        return NaiveOrder(0, terms, worst_price(terms, market), remaining)

    def _new_order(self, terms: OrderTerms, market: NaiveMarket) -> NaiveOrder:
        self.last_order_id += 1
        order = self._trial(terms, market)
        order.order_id = self.last_order_id
        return order

    # Working

    def _work(self, order: NaiveOrder, market: NaiveMarket) -> tuple[Fill, ...]:
        """Trade what can trade; the rest stands, or expires. Returns the fills."""
        if market.phase is not OPEN:
            self._stand(order, market)
            return ()
        if order.terms.time_in_force is FOK:
            trial = self._rehearse(order, market, guarded=True)
            if trial.remaining or trial.prevented:
                self._tell(order, Change.EXPIRED, EXPIRED)
                return ()
        before = len(self.fills[order.order_id])
        ending = self._match(order, market, market.guard_bounds(self.now))
        fills = tuple(self.fills[order.order_id][before:])
        if fills:
            self._look_for_triggers(market, fills[0].price)
        if fills and fills[-1].price != fills[0].price:
            self._look_for_triggers(market, fills[-1].price)
        if ending is Ending.GUARDED:
            market.phase, market.call_ends = PRE_OPEN, self.now + market.rules.guard_pause_ms
        if ending in (Ending.DRY, Ending.GUARDED):
            if order.can_stand:
                self._stand(order, market)
            else:
                self._tell(order, Change.EXPIRED, EXPIRED)
        return fills

    def _rehearse(self, order: NaiveOrder, market: NaiveMarket, guarded: bool) -> NaiveOrder:
        """What the order would be after trading, found out on a copy of the exchange."""
        stage = copy(self)
        stage.markets = {symbol: market.copied() for symbol, market in self.markets.items()}
        stage.owned = self.owned.copy()
        stage.trades, stage.told, stage.fills = [], defaultdict(list), defaultdict(list)
        stage.earned = self.earned.copy()
        actor = replace(order)
        bounds = market.guard_bounds(self.now) if guarded else None
        stage._match(actor, stage.markets[market.rules.symbol], bounds)
        return actor

    def _match(
        self, taker: NaiveOrder, market: NaiveMarket, bounds: tuple[int, int] | None
    ) -> Ending:
        mode = taker.terms.self_trade_prevention
        while makers := market.makers(taker.terms.side, taker.limit):
            maker = makers[0]
            price = maker.limit or 0
            wanted = market.wanted(taker, price)
            if not wanted:
                return Ending.DRY
            if bounds is not None and not bounds[0] <= price <= bounds[1]:
                return Ending.GUARDED
            if mode is not NO_PREVENTION and self._are_own(taker, maker):
                self._prevent(taker, maker, market, wanted)
                if taker.status is EXPIRED:
                    return Ending.PREVENTED
            else:
                self._trade(taker, maker, market, min(wanted, maker.shown))
                if taker.status is FILLED:
                    return Ending.COMPLETE
        return Ending.DRY

    def _trade(
        self, taker: NaiveOrder, maker: NaiveOrder, market: NaiveMarket, quantity: int
    ) -> None:
        price = maker.limit or 0
        self._untie(maker)
        buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
        self._settle(market, price, quantity, buyer, seller, taker)
        maker.remaining -= quantity
        maker.shown -= quantity
        if not maker.shown:
            maker.show_next_part()
            maker.arrival = self._next_arrival()
        self._tell_trade(maker, is_over=not maker.remaining)
        if taker.terms.quote_quantity is None:
            taker.remaining -= quantity
            self._tell_trade(taker, is_over=not taker.remaining)
        else:
            taker.remaining -= market.notional(price, quantity)
            next_makers = market.makers(BUY, taker.limit)
            next_price = (next_makers[0].limit or 0) if next_makers else price
            self._tell_trade(taker, is_over=not market.wanted(taker, next_price))

    def _settle(
        self,
        market: NaiveMarket,
        price: int,
        quantity: int,
        buyer: NaiveOrder,
        seller: NaiveOrder,
        taker: NaiveOrder | None,
    ) -> None:
        """Money and words of one trade; without a taker both are makers."""
        base, quote, cost = market.rules.base, market.rules.quote, market.notional(price, quantity)
        fees = {}
        for order, asset, received in ((buyer, base, quantity), (seller, quote, cost)):
            tier = self.accounts[order.terms.account].settings.tier
            rules = (market.rules.maker_fee_ppm, market.rules.taker_fee_ppm)
            rate = market.fees.get(tier, rules)[order is taker]
            if taker is None or self._are_own(buyer, seller):
                rate = max(rate, 0)
            fees[order.order_id] = fee = ceil_div(received * rate, PPM)
            self.owned[order.terms.account, asset] += received - fee
            self.earned[asset] += fee
            order.executed += quantity
            order.executed_quote += cost
        self.owned[buyer.terms.account, quote] -= cost
        self.owned[seller.terms.account, base] -= quantity
        market.trade_id += 1
        market.last_price = price
        if market.rules.guard_ppm is not None:
            market.prices.append((self.now, price))
        for order, asset in ((buyer, base), (seller, quote)):
            liquidity = TAKER if order is taker else MAKER
            fee = fees[order.order_id]
            self.fills[order.order_id].append(
                Fill(market.trade_id, price, quantity, cost, fee, asset, liquidity)
            )
        younger = max(buyer, seller, key=lambda order: order.order_id)
        self.trades.append(
            Traded(
                market.rules.symbol,
                market.trade_id,
                price,
                quantity,
                cost,
                (taker or younger).terms.side,
                buyer.terms.account,
                seller.terms.account,
                buyer.order_id,
                seller.order_id,
                fees[buyer.order_id],
                fees[seller.order_id],
            )
        )

    def _are_own(self, taker: NaiveOrder, maker: NaiveOrder) -> bool:
        one, other = taker.terms.account, maker.terms.account
        groups = [self.accounts[number].settings.trade_group for number in (one, other)]
        return one == other or (groups[0] is not None and groups[0] == groups[1])

    def _prevent(
        self, taker: NaiveOrder, maker: NaiveOrder, market: NaiveMarket, wanted: int
    ) -> None:
        """The table "Self-trade prevention"; `wanted` is what the taker would take there."""
        mode, price = taker.terms.self_trade_prevention, maker.limit or 0
        if mode in (EXPIRE_MAKER, EXPIRE_BOTH):
            self._lose(maker, maker.remaining, maker.remaining, is_over=True)
        if mode in (EXPIRE_TAKER, EXPIRE_BOTH):
            self._lose(taker, wanted, taker.remaining, is_over=True)
        if mode is DECREMENT:
            quantity = min(wanted, maker.remaining)
            by_quote = taker.terms.quote_quantity is not None
            amount = market.notional(price, quantity) if by_quote else quantity
            self._lose(maker, quantity, quantity, is_over=quantity == maker.remaining)
            rest = replace(taker, remaining=taker.remaining - amount)
            self._lose(taker, quantity, amount, is_over=not market.wanted(rest, price))

    def _lose(self, order: NaiveOrder, quantity: int, amount: int, is_over: bool) -> None:
        """Prevention takes a quantity of the order; of what is left of it, that amount."""
        self._untie(order)
        order.prevented += quantity
        order.remaining -= amount
        order.shown = min(order.shown, order.remaining)
        if is_over:
            self._leave(order)
        self._tell(order, PREVENTED, EXPIRED if is_over else order.open_status)

    # Standing, waiting, leaving

    def _stand(self, order: NaiveOrder, market: NaiveMarket) -> None:
        order.place, order.arrival = Place.BOOK, self._next_arrival()
        order.show_next_part()
        market.orders.append(order)

    def _wait(self, order: NaiveOrder, market: NaiveMarket) -> None:
        order.place = Place.WAITING
        if order.terms.stop_price is None:
            order.best_seen = market.last_price
        market.orders.append(order)

    def _leave(self, order: NaiveOrder) -> None:
        if order.place is not Place.NOWHERE:
            self.markets[order.terms.market].orders.remove(order)
            order.place = Place.NOWHERE

    def _end(self, order: NaiveOrder, change: Change, status: OrderStatus) -> None:
        """The order ends, and with it the other leg of its list."""
        other = None if order.other_leg is None else self._find_open(order.other_leg)
        for each in (order, other):
            if each is not None:
                each.other_leg = None
                self._leave(each)
                self._tell(each, change, status)

    def _untie(self, order: NaiveOrder) -> None:
        """A leg that acts stays; the other one expires."""
        if order.other_leg is not None:
            other, order.other_leg = self._find_open(order.other_leg), None
            other.other_leg = None
            self._end(other, Change.EXPIRED, EXPIRED)

    def _next_arrival(self) -> int:
        self.arrivals += 1
        return self.arrivals

    def _orders_of(self, account: int, symbol: str) -> list[NaiveOrder]:
        market = self.markets.get(symbol)
        orders = market.orders if market is not None else []
        return [order for order in orders if order.terms.account == account]

    def _find_open(self, order_id: int) -> NaiveOrder:
        return next(order for order in self.open_orders() if order.order_id == order_id)

    def _tell(self, order: NaiveOrder, change: Change, status: OrderStatus) -> None:
        order.status = status
        fill = self.fills[order.order_id][-1] if change is TRADED else None
        self.told[order.order_id].append((change, view(order), fill))

    def _tell_trade(self, order: NaiveOrder, is_over: bool) -> None:
        if is_over:
            self._leave(order)
        self._tell(order, TRADED, FILLED if is_over else order.open_status)

    # Triggers

    def _look_for_triggers(self, market: NaiveMarket, price: int) -> None:
        """The table "Triggers": what this last price triggers, goes to the end of the queue."""
        rising: list[tuple[int, int, NaiveOrder]] = []
        falling: list[tuple[int, int, NaiveOrder]] = []
        for order in market.orders:
            if order.place is not Place.WAITING:
                continue
            terms, delta = order.terms, order.terms.trailing_delta
            if order.best_seen is not None and delta is not None:
                if order.is_buy:
                    order.best_seen = min(order.best_seen, price)
                    trigger = ceil_div(order.best_seen * (BASIS_POINTS + delta), BASIS_POINTS)
                    if price >= trigger:
                        rising.append((trigger, order.order_id, order))
                else:
                    order.best_seen = max(order.best_seen, price)
                    trigger = order.best_seen * (BASIS_POINTS - delta) // BASIS_POINTS
                    if price <= trigger:
                        falling.append((-trigger, order.order_id, order))
                continue
            rises, stop = rises_to_its_stop(terms), terms.stop_price or 0
            if not (price >= stop if rises else price <= stop):
                continue
            if delta is not None:
                order.best_seen = price
            elif rises:
                rising.append((stop, order.order_id, order))
            else:
                falling.append((-stop, order.order_id, order))
        for _, _, order in sorted(rising) + sorted(falling):
            order.place, order.arrival = Place.TRIGGERED, self._next_arrival()

    def _work_off_triggers(self) -> None:
        for market in self.markets.values():
            while market.phase is OPEN and (queue := market.triggered()):
                order = queue[0]
                self._untie(order)
                self._leave(order)
                if self.accounts[order.terms.account].settings.frozen:
                    self._tell(order, Change.EXPIRED, EXPIRED)
                else:
                    self._tell(order, TRIGGERED, NEW)
                    self._work(order, market)

    # Auctions

    def _uncross(self, market: NaiveMarket) -> None:
        price = market.clearing_price()
        if price is None:
            return
        while (bids := market.makers(SELL, price)) and (asks := market.makers(BUY, price)):
            buyer, seller = bids[0], asks[0]
            quantity = min(buyer.remaining, seller.remaining)
            for order in (buyer, seller):
                self._untie(order)
            self._settle(market, price, quantity, buyer, seller, None)
            for order in (buyer, seller):
                order.remaining -= quantity
                order.shown = min(order.shown, order.remaining)
                self._tell_trade(order, is_over=not order.remaining)
        market.prices = market.prices[-1:]
        self._look_for_triggers(market, price)
