"""Commands at random: small prices and quantities, few accounts, two markets with one quote asset.

Most of them make sense where the exchange stands; some break a rule. Hypothesis draws the seeds:
drawing every number by itself would take most of the time, and little would ever trade.
"""

from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

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
from engine.core.tests.exchange import LATE
from engine.core.tests.naive.exchange import NaiveExchange
from engine.core.tests.naive.market import NaiveOrder, Place
from engine.core.types import (
    BUY,
    CANCEL_ONLY,
    CLOSED,
    FOK,
    GTC,
    GTD,
    HALTED,
    IOC,
    LIMIT,
    MARKET,
    NEW,
    NO_PREVENTION,
    OPEN,
    PARTIALLY_FILLED,
    POST_ONLY,
    PRE_OPEN,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    OrderStatus,
    ReplaceMode,
    SelfTradePrevention,
)

ACCOUNTS = (1, 2, 3, 4)
POOR = 4
ABC, XYZ = "ABCUSD", "XYZUSD"
SCALES = {"ABC": 0, "XYZ": 2, "USD": 0}
GRID = {ABC: (1, 1), XYZ: (10, 10)}
"""Tick and step. A whole XYZ has 100 units."""

BEGIN: list[Command] = [
    *(DefineAsset(symbol, scale) for symbol, scale in SCALES.items()),
    *(
        Deposit(account, asset, amount * (1 if account == POOR else 100), f"{account}-{asset}")
        for account in ACCOUNTS
        for asset, amount in {"ABC": 5, "XYZ": 50, "USD": 400}.items()
    ),
]


_KEYS = count(1)


class RandomCommands:
    """The next command for an exchange in this state."""

    def __init__(self, chance: Random, naive: NaiveExchange) -> None:
        self._chance = chance
        self._naive = naive

    def next(self) -> Command | None:
        """None where there is nothing to do it to."""
        makers: dict[Callable[[], Command | None], int] = {
            self.limit: 36,
            self.crossing_limit: 12,
            self.market: 8,
            self.conditional: 14,
            self.order_list: 6,
            self.amend: 12,
            self.replace: 4,
            self.cancel: 4,
            self.cancel_list: 2,
            self.cancel_many: 2,
            self.open_market: 8,
            self.change_phase: 3,
            self.administer: 3,
            self.move_funds: 2,
            self.end_withdrawal: 2,
        }
        return self._chance.choices(list(makers), list(makers.values()))[0]()

    # Orders

    def limit(self) -> Command:
        return PlaceOrder(self._limit_terms(), LATE)

    def crossing_limit(self) -> Command | None:
        """At the price of an order that stands on the other side."""
        order = self._some_order(lambda order: order.place is Place.BOOK)
        if order is None:
            return None
        side = SELL if order.is_buy else BUY
        terms = self._limit_terms(market=order.terms.market, side=side, price=order.limit)
        return PlaceOrder(terms, LATE)

    def market(self) -> Command:
        chance, market = self._chance, self._symbol()
        by_quote = chance.random() < 0.4
        terms = OrderTerms(
            account=chance.choice(ACCOUNTS),
            market=market,
            side=BUY if by_quote else chance.choice((BUY, SELL)),
            type=MARKET,
            time_in_force=IOC if by_quote else chance.choice((IOC, IOC, FOK)),
            price=self._price(market) if self._rarely(3) else None,
            quantity=None if by_quote else self._quantity(market),
            quote_quantity=chance.randint(1, 2_000) if by_quote else None,
            self_trade_prevention=self._prevention(),
        )
        return PlaceOrder(terms, LATE)

    def conditional(self) -> Command:
        return PlaceOrder(self._conditional_terms(), LATE)

    def order_list(self) -> Command:
        """Most often well formed: one leg above the last price, one below."""
        chance, market = self._chance, self._symbol()
        side, last = chance.choice((BUY, SELL)), self._last_price(market)
        common = {
            "account": chance.choice(ACCOUNTS),
            "market": market,
            "side": side,
            "quantity": self._quantity(market),
        }
        above, below = (last + sign * chance.randint(1, 5) * GRID[market][0] for sign in (1, -1))
        stop, profit = (above, below) if side is BUY else (below, above)
        stop_leg = self._conditional_terms(
            type=chance.choice((STOP_LOSS, STOP_LOSS_LIMIT)), stop_price=stop, **common
        )
        if self._rarely(2):
            profit_leg = self._limit_terms(price=profit, post_only=True, **common)
        else:
            profit_leg = self._conditional_terms(
                type=chance.choice((TAKE_PROFIT, TAKE_PROFIT_LIMIT)), stop_price=profit, **common
            )
        legs = (stop_leg, profit_leg) if self._rarely(2) else (profit_leg, stop_leg)
        return PlaceOrderList(legs, LATE, self._name())

    def _limit_terms(self, **given: Any) -> OrderTerms:
        market = given.get("market") or self._symbol()
        terms: dict[str, Any] = {
            "account": self._chance.choice(ACCOUNTS),
            "market": market,
            "side": self._chance.choice((BUY, SELL)),
            "type": LIMIT,
            "price": self._price(market),
            "quantity": self._quantity(market),
            "post_only": self._rarely(12),
            "client_order_id": self._name(),
            "visible_quantity": self._quantity(market, 4) if self._rarely(3) else None,
            "self_trade_prevention": self._prevention(),
        }
        terms |= self._lifetime(GTC, GTC, GTC, GTC, GTC, IOC, FOK, GTD)
        return OrderTerms(**terms | given)

    def _conditional_terms(self, **given: Any) -> OrderTerms:
        chance = self._chance
        market = given.get("market") or self._symbol()
        kinds = (STOP_LOSS, STOP_LOSS_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT)
        kind = given.get("type") or chance.choice(kinds)
        has_limit = kind in (STOP_LOSS_LIMIT, TAKE_PROFIT_LIMIT)
        side = given.get("side") or chance.choice((BUY, SELL))
        rises = (side is BUY) == (kind in (STOP_LOSS, STOP_LOSS_LIMIT))
        away = chance.choice((-1, 1, 1, 2, 3, 4)) * GRID[market][0] * (1 if rises else -1)
        delta = chance.choice((100, 200, 500, chance.randint(1, 1_000)))
        terms: dict[str, Any] = {
            "account": chance.choice(ACCOUNTS),
            "market": market,
            "side": side,
            "type": kind,
            "price": self._price(market) if has_limit else None,
            "quantity": self._quantity(market),
            "client_order_id": self._name(),
            "stop_price": self._last_price(market) + away,
            "trailing_delta": delta if self._rarely(3) else None,
            "self_trade_prevention": self._prevention(),
        }
        if terms["trailing_delta"] is not None and self._rarely(2):
            terms["stop_price"] = None
        terms |= self._lifetime(GTC, GTC, GTC, IOC, FOK, GTD) if has_limit else self._lifetime(IOC)
        if terms["time_in_force"] in (GTC, GTD) and self._rarely(4):
            terms["visible_quantity"] = self._quantity(market, 4)
        return OrderTerms(**terms | given)

    # Changes

    def amend(self) -> Command | None:
        order = self._some_order()
        if order is None:
            return None
        market, total = order.terms.market, order.terms.quantity or 0
        step = GRID[market][1]
        less = max(total // step - self._chance.randint(1, 3), 1) * step
        return AmendOrder(
            order.terms.account,
            market,
            LATE,
            order.order_id,
            price=self._price(market) if self._rarely(3) else None,
            quantity=self._chance.choice((None, less, less, self._quantity(market))),
            new_client_order_id=self._name(),
        )

    def replace(self) -> Command | None:
        order = self._some_order()
        if order is None:
            return None
        terms = self._limit_terms(account=order.terms.account, market=order.terms.market)
        mode = self._chance.choice(list(ReplaceMode))
        return ReplaceOrder(
            terms, mode, LATE, order.order_id + self._rarely(4), only=self._restriction()
        )

    def _restriction(self) -> OrderStatus | None:
        return self._chance.choice((NEW, PARTIALLY_FILLED)) if self._rarely(5) else None

    def cancel(self) -> Command | None:
        order = self._some_order()
        if order is None:
            return None
        ids: list[dict[str, Any]] = [
            {"order_id": order.order_id},
            {"order_id": order.order_id, "client_order_id": order.terms.client_order_id},
            {"client_order_id": order.terms.client_order_id},
            {"order_id": order.order_id, "client_order_id": "a"},
        ]
        return CancelOrder(
            order.terms.account,
            order.terms.market,
            **self._chance.choice(ids),
            only=self._restriction(),
        )

    def cancel_list(self) -> Command | None:
        leg = self._some_order(lambda order: order.other_leg is not None)
        if leg is None:
            return None
        name = self._naive.list_names[leg.list_id or 0]
        ids: dict[str, Any] = {"client_list_id": name} if name else {"list_id": leg.list_id}
        return CancelOrderList(leg.terms.account, leg.terms.market, **ids)

    def cancel_many(self) -> Command:
        account, market = self._chance.choice(ACCOUNTS), self._chance.choice((None, ABC, XYZ))
        if self._rarely(2):
            return CancelAll(account, market)
        return CancelAllAfter(account, self._chance.choice((0, 5, 30)), market)

    # Administration

    def open_market(self) -> Command:
        return SetPhase(self._symbol(), OPEN)

    def change_phase(self) -> Command:
        phases = (PRE_OPEN, PRE_OPEN, PRE_OPEN, POST_ONLY, CANCEL_ONLY, HALTED, CLOSED, OPEN)
        phase, until = self._chance.choice(phases), None
        if phase is PRE_OPEN and self._rarely(2):
            until = self._naive.now + self._chance.randint(0, 30)
        return SetPhase(self._symbol(), phase, until)

    def administer(self) -> Command:
        chance = self._chance
        account, symbol = chance.choice(ACCOUNTS), self._symbol()
        commands: list[Command] = [
            self.rules(symbol),
            SetFees(symbol, chance.randint(1, 2), *self._fees()),
            LimitNotional(account, "USD", chance.choice((None, 1_500))),
            ConfigureAccount(
                account,
                tier=chance.randint(0, 2),
                trade_group=chance.choice((None, 7)),
                frozen=self._rarely(4),
                unlimited_orders=self._rarely(4),
            ),
        ]
        return chance.choice(commands)

    def rules(self, symbol: str) -> DefineMarket:
        """Always well formed; the grid and the guard of a market never change."""
        chance, (tick, step) = self._chance, GRID[symbol]
        maker_fee, taker_fee = self._fees()
        return DefineMarket(
            symbol=symbol,
            base=symbol[:3],
            quote="USD",
            tick=tick,
            step=step,
            min_quantity=step,
            max_quantity=chance.choice((11 * step, 10**9)),
            min_notional=chance.choice((0, 0, 0, 150)),
            max_notional=chance.choice((10**12, 10**12, 1_100)),
            band_down_ppm=chance.choice((500_000, 500_000, 500_000, 930_000)),
            band_up_ppm=chance.choice((2_000_000, 2_000_000, 2_000_000, 1_070_000)),
            maker_fee_ppm=maker_fee,
            taker_fee_ppm=taker_fee,
            max_open_orders=chance.choice((None, None, 5)),
            max_conditional_orders=chance.choice((None, None, 2)),
            trigger_band_ppm=chance.choice((0, 50_000)),
            guard_ppm=150_000 if symbol == XYZ else None,
            guard_window_ms=20,
            guard_pause_ms=30,
        )

    def _fees(self) -> tuple[int, int]:
        """Maker's and taker's: no rebate exceeds the fee of whoever is on the other side."""
        return self._chance.randint(-20_000, 50_000), self._chance.randint(20_000, 90_000)

    def move_funds(self) -> Command:
        chance = self._chance
        account, other = chance.choice(ACCOUNTS), chance.choice(ACCOUNTS)
        asset, amount, key = chance.choice(list(SCALES)), chance.randint(1, 300), self._key()
        commands: list[Command] = [
            Deposit(account, asset, amount, key),
            Transfer(account, other, asset, amount, key),
            ReserveWithdrawal(account, asset, amount, key),
        ]
        return chance.choice(commands)

    def end_withdrawal(self) -> Command | None:
        if not self._naive.withdrawals:
            return None
        withdrawal = self._chance.choice(self._naive.withdrawals)
        kind = SettleWithdrawal if self._rarely(2) else ReleaseWithdrawal
        return kind(withdrawal.account, withdrawal.withdrawal_id)

    # Numbers and names

    def _rarely(self, one_in: int) -> bool:
        return self._chance.randrange(one_in) == 0

    def _symbol(self) -> str:
        return self._chance.choice((ABC, ABC, ABC, XYZ))

    def _last_price(self, market: str) -> int:
        last = self._naive.markets[market].last_price
        return 100 if last is None else last

    def _price(self, market: str) -> int:
        tick, _ = GRID[market]
        farthest = 4 if tick == 1 else 2
        off = 1 if self._rarely(30) else 0
        return 100 + self._chance.randint(-farthest, farthest) * tick + off

    def _quantity(self, market: str, most: int = 12) -> int:
        return self._chance.randint(1, most) * GRID[market][1]

    def _name(self) -> str | None:
        return self._chance.choice((None, None, None, None, "a", "b", "c", "d"))

    def _key(self) -> str:
        """Never the same twice, also where the same chances come again."""
        return f"key-{next(_KEYS)}"

    def _prevention(self) -> SelfTradePrevention:
        mode: SelfTradePrevention = self._chance.choice((NO_PREVENTION, *SelfTradePrevention))
        return mode

    def _lifetime(self, *choice: Any) -> dict[str, Any]:
        lifetime = self._chance.choice(choice)
        date = self._naive.now + self._chance.randint(1, 60) if lifetime is GTD else None
        return {"time_in_force": lifetime, "good_till": date}

    def _some_order(
        self, is_wanted: Callable[[NaiveOrder], bool] = lambda order: True
    ) -> NaiveOrder | None:
        orders = [order for order in self._naive.open_orders() if is_wanted(order)]
        return self._chance.choice(orders) if orders else None
