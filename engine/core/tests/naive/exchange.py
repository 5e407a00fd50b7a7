"""The naive exchange: every command, written down from `docs/ORDERS.md` and nothing else.

It owns lists and sums, and tries things out on copies of itself: what would an order cost, would
all of it be filled. Nothing is kept that can be counted: what is locked is what the open orders
and reserved withdrawals of the moment lock, and what is available is the rest.

It does not know the limits on work at once (10,000 fills, 1,000 cancels, 5,000 trades of an
auction): tests that reach those are elsewhere.
"""

from collections import defaultdict
from copy import copy
from dataclasses import dataclass, replace
from enum import Enum

from msgspec.structs import replace as with_changes

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
    OrderTerms,
    PlaceOrder,
    PlaceOrderList,
    ReleaseWithdrawal,
    ReplaceOrder,
    ReserveWithdrawal,
    SetFees,
    SetPhase,
    SettleWithdrawal,
    Transfer,
)
from engine.core.events import Fill, Traded
from engine.core.rejections import Code
from engine.core.tests.naive.market import (
    NaiveMarket,
    NaiveOrder,
    Place,
    ceil_div,
    is_conditional,
    rises_to_its_stop,
)
from engine.core.tests.naive.refusals import (
    Refusal,
    check_book,
    check_filters,
    check_form,
    check_legs,
    check_phase,
    check_trigger,
    require,
    value_of,
    worst_price,
)
from engine.core.types import (
    ACCEPTED,
    AMENDED,
    BASIS_POINTS,
    BUY,
    CANCELED,
    DECREMENT,
    EXPIRE_BOTH,
    EXPIRE_MAKER,
    EXPIRE_TAKER,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    GTD,
    HALTED,
    MAKER,
    MARKET,
    NEW,
    NO_PREVENTION,
    OPEN,
    POST_ONLY,
    PPM,
    PRE_OPEN,
    PREVENTED,
    SELL,
    TAKER,
    TRADED,
    TRIGGERED,
    Change,
    OrderStatus,
    Phase,
    ReplaceMode,
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


@dataclass(frozen=True)
class OrderAnswer:
    order: OrderView
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True)
class ListAnswer:
    list_id: int
    orders: tuple[OrderView, ...]


@dataclass(frozen=True)
class ReplaceAnswer:
    canceled: "OrderAnswer | Code"
    placed: "OrderAnswer | Code | None"


Answer = Code | OrderAnswer | ListAnswer | ReplaceAnswer | tuple[OrderView, ...] | int | None
"""A refusal's code, orders, a withdrawal's id, or None for "done"."""


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


class NaiveExchange:
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

    # Commands and time

    def apply(self, command: Command) -> Answer:
        try:
            answer = self._handle(command)
        except Refusal as refusal:
            return refusal.code
        self._work_off_triggers()
        return answer

    def _handle(self, command: Command) -> Answer:
        match command:
            case PlaceOrder():
                require(self.now <= command.expires_at, Code.EXPIRED)
                return self._place(command.terms)
            case PlaceOrderList():
                require(self.now <= command.expires_at, Code.EXPIRED)
                return self._place_list(command)
            case AmendOrder():
                require(self.now <= command.expires_at, Code.EXPIRED)
                return self._amend(command)
            case ReplaceOrder():
                require(self.now <= command.expires_at, Code.EXPIRED)
                return self._replace(command)
            case CancelOrder():
                return self._cancel(command)
            case CancelOrderList():
                return self._cancel_list(command)
            case CancelAll():
                return self._cancel_all(command)
            case CancelAllAfter():
                self._set_timer(command)
            case SetPhase():
                self._set_phase(command)
            case SetFees():
                fees = (command.maker_fee_ppm, command.taker_fee_ppm)
                self.markets[command.market].fees[command.tier] = fees
            case DefineAsset():
                self.scales[command.symbol] = command.scale
            case DefineMarket():
                self._define_market(command)
            case ConfigureAccount():
                self._account(command.account).settings = command
            case LimitNotional():
                self._limit_notional(command)
            case Deposit():
                self._account(command.account)
                self.owned[command.account, command.asset] += command.amount
            case Transfer():
                self._transfer(command)
            case ReserveWithdrawal():
                return self._reserve_withdrawal(command)
            case SettleWithdrawal():
                withdrawal = self._take_withdrawal(command.account, command.withdrawal_id)
                self.owned[withdrawal.account, withdrawal.asset] -= withdrawal.amount
            case ReleaseWithdrawal():
                self._take_withdrawal(command.account, command.withdrawal_id)
            case _:
                raise NotImplementedError(command)
        return None

    def advance(self, now: int) -> None:
        """Everything that is due by then: by time; at one time orders, timers, ends of calls."""
        self.now = now
        while due := [entry for entry in self.planned() if entry[0] <= now]:
            _, kind, who, market = min(due)
            if kind == 0:
                order = self._find_open(who)
                self._end(order, Change.EXPIRED, EXPIRED)
            elif kind == 1:
                del self.timers[who, market]
                self._cancel_everything(self._orders_by_market(who, market or None))
            else:
                self._move(self.markets[market], OPEN, None)
        self._work_off_triggers()

    def planned(self) -> list[tuple[int, int, int, str]]:
        """`(time, kind, order or account, market)` of all that will fall due."""
        planned = [
            (order.terms.good_till, 0, order.order_id, "")
            for order in self.open_orders()
            if order.terms.good_till is not None
        ]
        planned += [(time, 1, account, market) for (account, market), time in self.timers.items()]
        planned += [
            (market.call_ends, 2, 0, symbol)
            for symbol, market in self.markets.items()
            if market.call_ends is not None
        ]
        return planned

    # Placing

    def _place(self, terms: OrderTerms) -> OrderAnswer:
        require(terms.market in self.markets, Code.UNKNOWN_MARKET)
        market = self.markets[terms.market]
        check_phase(terms, market)
        check_form(terms, self.now)
        check_filters(terms, market)
        self._check_account(terms.account)
        self._check_name(terms)
        self._check_limits(terms, market, come=(terms,))
        check_trigger(terms, market)
        if not is_conditional(terms):
            check_book(terms, market)
        self._check_funds(terms, self._cost(terms, market), market)
        order = self._new_order(terms, market)
        self._tell(order, ACCEPTED, NEW)
        if is_conditional(terms):
            self._wait(order, market)
            return OrderAnswer(view(order))
        fills = self._work(order, market)
        return OrderAnswer(view(order), fills)

    def _place_list(self, command: PlaceOrderList) -> ListAnswer:
        legs = command.legs
        require(legs[0].market in self.markets, Code.UNKNOWN_MARKET)
        market = self.markets[legs[0].market]
        for terms in legs:
            check_phase(terms, market)
            check_form(terms, self.now)
            check_filters(terms, market)
        check_legs(legs, market)
        self._check_account(legs[0].account)
        for terms in legs:
            self._check_name(terms)
            self._check_limits(terms, market, come=legs)
            check_trigger(terms, market)
            if not is_conditional(terms):
                check_book(terms, market)
        self._check_funds(legs[0], max(self._cost(terms, market) for terms in legs), market)
        self.last_list_id += 1
        self.list_names[self.last_list_id] = command.client_list_id
        orders = [self._new_order(terms, market) for terms in legs]
        for order, other in (orders, orders[::-1]):
            order.list_id, order.other_leg = self.last_list_id, other.order_id
            self._tell(order, ACCEPTED, NEW)
            if is_conditional(order.terms):
                self._wait(order, market)
            else:
                self._stand(order, market)
        return ListAnswer(self.last_list_id, tuple(view(order) for order in orders))

    def _check_account(self, number: int) -> None:
        require(number in self.accounts, Code.INSUFFICIENT_BALANCE)
        require(not self.accounts[number].settings.frozen, Code.ACCOUNT_FROZEN)

    def _check_name(self, terms: OrderTerms) -> None:
        mine = self._orders_of(terms.account, terms.market)
        names = {order.terms.client_order_id for order in mine} - {None}
        require(terms.client_order_id not in names, Code.DUPLICATE_CLIENT_ORDER_ID)

    def _check_limits(
        self, terms: OrderTerms, market: NaiveMarket, come: tuple[OrderTerms, ...]
    ) -> None:
        """The limits on an order, which comes alone or with the other leg of its list."""
        account, rules = terms.account, market.rules
        stays = is_conditional(terms) or terms.time_in_force in (GTC, GTD)
        if stays and not self.accounts[account].settings.unlimited_orders:
            mine = self._orders_of(account, rules.symbol)
            waiting = [order for order in mine if order.place is not Place.BOOK]
            if rules.max_open_orders is not None:
                fits = len(mine) + len(come) <= rules.max_open_orders
                require(fits, Code.TOO_MANY_ORDERS)
            if rules.max_conditional_orders is not None and is_conditional(terms):
                more = sum(is_conditional(each) for each in come)
                fits = len(waiting) + more <= rules.max_conditional_orders
                require(fits, Code.TOO_MANY_CONDITIONAL_ORDERS)
        self._check_notional_limit(self._worth(terms, market), account, market)

    def _check_notional_limit(
        self, worth: int, account: int, market: NaiveMarket, without: int = 0
    ) -> None:
        limit = self.accounts[account].notional_limits.get(market.rules.quote)
        if limit is None:
            return
        orders: dict[tuple[str, int], int] = {}
        for other in self.markets.values():
            if other.rules.quote != market.rules.quote:
                continue
            for order in other.orders:
                if order.terms.account == account and order.order_id != without:
                    tied = order.other_leg is not None
                    key = ("list", order.list_id or 0) if tied else ("order", order.order_id)
                    value = value_of(order.terms, other, order.remaining) or 0
                    orders[key] = max(orders.get(key, 0), value)
        require(worth + sum(orders.values()) <= limit, Code.NOTIONAL_LIMIT_EXCEEDED)

    def _worth(self, terms: OrderTerms, market: NaiveMarket) -> int:
        if terms.quote_quantity is not None:
            return terms.quote_quantity
        if terms.type is MARKET:
            return self._rehearse(self._trial(terms, market), market, guarded=False).executed_quote
        return value_of(terms, market) or 0

    def _cost(self, terms: OrderTerms, market: NaiveMarket) -> int:
        """The most that the order can cost, in the asset that it pays with."""
        if terms.side is SELL:
            return terms.quantity or 0
        if terms.type is MARKET:
            return self._worth(terms, market)
        return market.notional(worst_price(terms, market) or 0, terms.quantity or 0)

    def _check_funds(self, terms: OrderTerms, cost: int, market: NaiveMarket) -> None:
        asset = market.rules.quote if terms.side is BUY else market.rules.base
        require(cost <= self.available(terms.account, asset), Code.INSUFFICIENT_BALANCE)

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

    # Changing and cancelling

    def _amend(self, command: AmendOrder) -> OrderAnswer:
        order = self._find(
            command.account, command.market, command.order_id, command.client_order_id
        )
        market = self.markets[command.market]
        terms = with_changes(
            order.terms,
            price=order.terms.price if command.price is None else command.price,
            quantity=order.terms.quantity if command.quantity is None else command.quantity,
            client_order_id=command.new_client_order_id or order.terms.client_order_id,
        )
        remaining = (terms.quantity or 0) - order.executed - order.prevented
        limit = order.limit if terms.price is None else terms.price
        check_phase(terms, market)
        gets_a_limit = order.terms.price is None and terms.price is not None
        is_allowed = order.other_leg is None and terms != order.terms and not gets_a_limit
        require(is_allowed and remaining > 0, Code.INVALID_AMENDMENT)
        check_form(terms, self.now)
        check_filters(terms, market)
        self._check_account(command.account)
        if terms.client_order_id != order.terms.client_order_id:
            self._check_name(terms)
        worth = value_of(terms, market, remaining) or 0
        if worth > (value_of(order.terms, market, order.remaining) or 0):
            self._check_notional_limit(worth, command.account, market, without=order.order_id)
        if order.place is Place.BOOK:
            check_book(terms, market)
        amended = replace(order, terms=terms, limit=limit, remaining=remaining)
        self._check_funds(
            terms, self._lock_of(amended, market) - self._lock_of(order, market), market
        )
        keeps_its_place = order.place is not Place.BOOK or (
            limit == order.limit and remaining <= order.remaining
        )
        order.terms, order.limit, order.remaining = terms, limit, remaining
        order.shown = min(order.shown, remaining)
        self._tell(order, AMENDED, order.open_status)
        if keeps_its_place:
            return OrderAnswer(view(order))
        self._leave(order)
        fills = self._work(order, market)
        return OrderAnswer(view(order), fills)

    def _replace(self, command: ReplaceOrder) -> ReplaceAnswer:
        terms = command.terms
        canceled: OrderAnswer | Code
        try:
            canceled = self._cancel(
                CancelOrder(terms.account, terms.market, command.order_id, command.client_order_id)
            )
        except Refusal as refusal:
            canceled = refusal.code
            if command.mode is ReplaceMode.STOP_ON_FAILURE:
                return ReplaceAnswer(canceled, None)
        try:
            return ReplaceAnswer(canceled, self._place(terms))
        except Refusal as refusal:
            return ReplaceAnswer(canceled, refusal.code)

    def _find(
        self, account: int, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> NaiveOrder:
        """By either id; by both, where both are given."""
        found = [
            order
            for order in self._orders_of(account, symbol)
            if order_id in (None, order.order_id)
            and client_order_id in (None, order.terms.client_order_id)
            and (order_id, client_order_id) != (None, None)
        ]
        require(found, Code.UNKNOWN_ORDER)
        return found[0]

    def _cancel(self, command: CancelOrder) -> OrderAnswer:
        order = self._find(
            command.account, command.market, command.order_id, command.client_order_id
        )
        require(self.markets[command.market].phase is not HALTED, Code.PHASE_FORBIDS)
        self._end(order, Change.CANCELED, CANCELED)
        return OrderAnswer(view(order))

    def _cancel_list(self, command: CancelOrderList) -> ListAnswer:
        legs = [
            order
            for order in self._orders_of(command.account, command.market)
            if order.other_leg is not None
            and order.list_id is not None
            and (
                order.list_id == command.list_id
                if command.list_id is not None
                else self.list_names[order.list_id] == command.client_list_id
            )
        ]
        require(legs, Code.UNKNOWN_ORDER_LIST)
        require(self.markets[command.market].phase is not HALTED, Code.PHASE_FORBIDS)
        first = min(legs, key=lambda order: order.order_id)
        second = self._find_open(first.other_leg or 0)
        self._end(first, Change.CANCELED, CANCELED)
        return ListAnswer(first.list_id or 0, (view(first), view(second)))

    def _cancel_all(self, command: CancelAll) -> tuple[OrderView, ...]:
        if command.market is not None:
            require(command.market in self.markets, Code.UNKNOWN_MARKET)
            is_halted = self.markets[command.market].phase is HALTED
            require(not is_halted, Code.PHASE_FORBIDS)
        orders = self._orders_by_market(command.account, command.market)
        return self._cancel_everything(
            [o for o in orders if self.markets[o.terms.market].phase is not HALTED]
        )

    def _cancel_everything(self, orders: list[NaiveOrder]) -> tuple[OrderView, ...]:
        for order in orders:
            if order.place is not Place.NOWHERE:  # else it ended with the leg before it
                self._end(order, Change.CANCELED, CANCELED)
        return tuple(view(order) for order in orders)

    def _orders_by_market(self, account: int, symbol: str | None) -> list[NaiveOrder]:
        return [
            order
            for each in sorted(self.markets)
            if symbol in (None, each)
            for order in sorted(self._orders_of(account, each), key=lambda order: order.order_id)
        ]

    def _set_timer(self, command: CancelAllAfter) -> None:
        require(0 <= command.timeout_ms <= 24 * 60 * 60 * 1000, Code.INVALID_TIMER)
        require(command.market is None or command.market in self.markets, Code.UNKNOWN_MARKET)
        require(command.account in self.accounts, Code.INVALID_ACCOUNT)
        self.timers.pop((command.account, command.market or ""), None)
        if command.timeout_ms:
            self.timers[command.account, command.market or ""] = self.now + command.timeout_ms

    # Phases and auctions

    def _set_phase(self, command: SetPhase) -> None:
        require(command.market in self.markets, Code.UNKNOWN_MARKET)
        until = command.until
        is_call = command.phase is PRE_OPEN
        require(until is None or (is_call and until > self.now), Code.INVALID_PHASE)
        self._move(self.markets[command.market], command.phase, until)

    def _move(self, market: NaiveMarket, phase: Phase, until: int | None) -> None:
        if phase in (OPEN, POST_ONLY):
            self._uncross(market)
        market.phase, market.call_ends = phase, until

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

    # Markets, accounts, funds

    def _define_market(self, rules: DefineMarket) -> None:
        if rules.symbol not in self.markets:
            unit = 10 ** self.scales[rules.base]
            self.markets[rules.symbol] = NaiveMarket(rules, unit)
        market = self.markets[rules.symbol]
        market.rules = rules
        if rules.guard_ppm is None:
            market.prices.clear()

    def _account(self, number: int) -> NaiveAccount:
        if number not in self.accounts:
            self.accounts[number] = NaiveAccount(ConfigureAccount(number), {})
        return self.accounts[number]

    def _limit_notional(self, command: LimitNotional) -> None:
        limits = self._account(command.account).notional_limits
        limits.pop(command.asset, None)
        if command.amount is not None:
            limits[command.asset] = command.amount

    def _transfer(self, command: Transfer) -> None:
        is_other = command.to in self.accounts and command.to != command.account
        require(is_other, Code.INVALID_ACCOUNT)
        self._check_payer(command)
        self.owned[command.account, command.asset] -= command.amount
        self.owned[command.to, command.asset] += command.amount

    def _reserve_withdrawal(self, command: ReserveWithdrawal) -> int:
        self._check_payer(command)
        self.last_withdrawal_id += 1
        self.withdrawals.append(
            NaiveWithdrawal(self.last_withdrawal_id, command.account, command.asset, command.amount)
        )
        return self.last_withdrawal_id

    def _check_payer(self, command: Transfer | ReserveWithdrawal) -> None:
        account, asset = command.account, command.asset
        require(asset in self.scales, Code.UNKNOWN_ASSET)
        require(command.amount > 0, Code.AMOUNT_OUT_OF_RANGE)
        if account in self.accounts:
            require(not self.accounts[account].settings.frozen, Code.ACCOUNT_FROZEN)
        require(self.available(account, asset) >= command.amount, Code.INSUFFICIENT_BALANCE)

    def _take_withdrawal(self, account: int, withdrawal_id: int) -> NaiveWithdrawal:
        found = [
            w for w in self.withdrawals if (w.account, w.withdrawal_id) == (account, withdrawal_id)
        ]
        require(found, Code.UNKNOWN_WITHDRAWAL)
        self.withdrawals.remove(found[0])
        return found[0]
