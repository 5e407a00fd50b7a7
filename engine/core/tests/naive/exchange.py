"""The naive exchange: every command, written down from `docs/ORDERS.md` and nothing else.

It owns lists and sums, and tries things out on copies of itself: what would an order cost, would
all of it be filled. It does not know the limits on work at once (10,000 fills, 1,000 cancels,
5,000 trades of an auction): `test_work_at_once.py` reaches those.
"""

from dataclasses import dataclass, replace

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
from engine.core.events import Fill
from engine.core.rejections import Code
from engine.core.tests.naive.market import (
    NaiveMarket,
    NaiveOrder,
    Place,
    is_conditional,
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
from engine.core.tests.naive.trading import (
    NaiveAccount,
    NaiveTrading,
    NaiveWithdrawal,
    OrderView,
    view,
)
from engine.core.types import (
    ACCEPTED,
    AMENDED,
    BUY,
    CANCELED,
    EXPIRED,
    GTC,
    GTD,
    HALTED,
    MARKET,
    NEW,
    OPEN,
    PARTIALLY_FILLED,
    POST_ONLY,
    PRE_OPEN,
    SELL,
    Change,
    Phase,
    ReplaceMode,
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


class NaiveExchange(NaiveTrading):
    """Takes commands, and time."""

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
                CancelOrder(
                    terms.account,
                    terms.market,
                    command.order_id,
                    command.client_order_id,
                    command.only,
                )
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
        status = PARTIALLY_FILLED if order.executed else NEW
        require(command.only in (None, status), Code.CANCEL_RESTRICTED)
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

    # Markets, accounts, funds

    def _define_market(self, rules: DefineMarket) -> None:
        if rules.symbol not in self.markets:
            unit = 10 ** self.scales[rules.base]
            self.markets[rules.symbol] = NaiveMarket(rules, unit)
        market = self.markets[rules.symbol]
        market.rules = rules
        if rules.guard_ppm is None:
            market.prices.clear()
        elif not market.prices and market.last_price is not None:
            market.prices.append((self.now, market.last_price))

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
