"""Assets and markets: what may be traded, by which rules, and who takes part."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from msgspec.structs import astuple

from engine.core.accounts import Account, Balance
from engine.core.commands import DefineAsset, DefineMarket, SetFees
from engine.core.events import AssetDefined, DepthChanged, Event, FeesSet, MarketDefined
from engine.core.market_checks import check_asset, check_fees, check_market
from engine.core.order import Order
from engine.core.order_book import BookSide, OrderBook, PriceLevel
from engine.core.price_guard import PriceGuard
from engine.core.rejections import Code
from engine.core.replies import Refused
from engine.core.triggers import Triggers
from engine.core.types import MAX_AMOUNT, OPEN, PPM, Phase

_depth_changed: Final = DepthChanged  # bound once, see order.py

_UNLIMITED: Final = 2**61
"""More orders than there can be, and still a number of one machine word."""


class Asset:
    """Something that can be owned, counted in units of 10^-scale."""

    __slots__ = ("scale", "symbol")

    def __init__(self, symbol: str, scale: int) -> None:
        self.symbol = symbol
        self.scale = scale


class Participant:
    """One account in one market: its two balances, its fees, its open orders."""

    __slots__ = (
        "account",
        "base",
        "client_orders",
        "conditional_count",
        "maker_fee_ppm",
        "market",
        "orders",
        "quote",
        "taker_fee_ppm",
    )

    def __init__(self, account: Account, market: "Market") -> None:
        self.account = account
        self.market = market
        self.base: Balance = account.balance(market.base)
        self.quote: Balance = account.balance(market.quote)
        self.maker_fee_ppm, self.taker_fee_ppm = market.fees_of(account.tier)
        self.orders: dict[int, Order] = {}
        """Open orders by id, oldest first."""
        self.client_orders: dict[str, Order] = {}
        self.conditional_count = 0
        """Of the open orders: those that wait for a trigger."""

    def remember(self, order: Order) -> None:
        self.orders[order.order_id] = order
        if order.client_order_id is not None:
            self.client_orders[order.client_order_id] = order
        if order.waits:
            self.conditional_count += 1

    def forget(self, order: Order) -> None:
        """Harmless for an order that was never remembered."""
        if self.orders.pop(order.order_id, None) is None:
            return
        if order.client_order_id is not None:
            del self.client_orders[order.client_order_id]
        if order.waits:
            self.conditional_count -= 1

    def rename(self, order: Order, client_order_id: str | None) -> None:
        """An open order gets another client order id; one that nobody has, it was checked."""
        if order.client_order_id is not None:
            del self.client_orders[order.client_order_id]
        if client_order_id is not None:
            self.client_orders[client_order_id] = order

    def starts_to_work(self, order: Order) -> None:
        """A conditional order waits no more."""
        order.waits = False
        self.conditional_count -= 1

    def find(self, order_id: int | None, client_order_id: str | None) -> Order | None:
        """An open order by either id; by both, where both are given."""
        if order_id is None:
            return self.client_orders.get(client_order_id or "")
        order = self.orders.get(order_id)
        if client_order_id is None or order is None:
            return order
        return order if order.client_order_id == client_order_id else None


class Market:
    """A pair of assets, its rules, its book, and its counters."""

    __slots__ = (
        "_band_down",
        "_band_price",
        "_band_up",
        "_step_value",
        "_unit",
        "base",
        "book",
        "clearing_price",
        "depth_number",
        "guard",
        "has_max_notional",
        "highest_price",
        "last_price",
        "lowest_price",
        "max_conditional_orders",
        "max_notional",
        "max_open_orders",
        "max_quantity",
        "min_notional",
        "min_quantity",
        "next_phase",
        "phase",
        "quote",
        "rules",
        "step",
        "symbol",
        "tick",
        "tier_fees",
        "trade_id",
        "triggered",
        "triggers",
    )

    def __init__(self, rules: DefineMarket, base: Asset, quote: Asset) -> None:
        self.symbol = rules.symbol
        self.base = base.symbol
        self.quote = quote.symbol
        self._unit: int = 10**base.scale
        self.book = OrderBook()
        self.triggers = Triggers()
        self.triggered: deque[Order] = deque()
        """Whose trigger was reached, in the order in which they will work."""
        self.guard = PriceGuard()
        self.tier_fees: dict[int, tuple[int, int]] = {}
        """Maker and taker fee by tier, where they are not those of the rules."""
        self.phase: Phase = OPEN
        self.clearing_price: int | None = None
        """Of the auction that is going on."""
        self.next_phase: Phase = OPEN
        """What that auction leads to."""
        self.last_price: int | None = None
        self._band_price: int | None = None
        self.lowest_price = 0
        self.highest_price = MAX_AMOUNT
        """The price band, bounds included: all prices before the first trade. See `move_band`."""
        self.trade_id = 0
        self.depth_number = 0
        self.set_rules(rules)

    @property
    def has_orders(self) -> bool:
        return not (self.book.is_empty and self.triggers.is_empty) or bool(self.triggered)

    def orders(self) -> Iterator[Order]:
        """Every open order: of the book, waiting for its trigger, waiting for its turn."""
        yield from self.book.orders()
        yield from self.triggers
        yield from self.triggered

    def notional(self, price: int, quantity: int) -> int:
        """What `quantity` costs at `price`, in the quote asset: exactly, for both are on the grid.

        Ticks times steps stay small where price times quantity would need long arithmetic.
        """
        return quantity // self.step * self._step_value * (price // self.tick)

    def move_band(self) -> None:
        """Bring the price band to where the last price is now."""
        price = self.last_price
        if price is not None and price != self._band_price:
            self._band_price = price
            whole, rest = price // PPM, price % PPM  # no product beyond a machine word
            self.lowest_price = whole * self._band_down - (-rest * self._band_down // PPM)
            self.highest_price = whole * self._band_up + rest * self._band_up // PPM

    def set_rules(self, rules: DefineMarket) -> None:
        self.rules = rules
        self.tick: int = rules.tick
        self.step: int = rules.step
        self._step_value: int = rules.tick * rules.step // self._unit
        """What one step costs at a price of one tick."""
        self.min_quantity: int = -(-rules.min_quantity // rules.step) * rules.step
        self.max_quantity: int = rules.max_quantity // rules.step * rules.step
        self.min_notional: int = rules.min_notional
        self.max_notional: int = rules.max_notional
        self.has_max_notional = rules.max_notional < MAX_AMOUNT
        self.max_open_orders: int = _or_unlimited(rules.max_open_orders)
        self.max_conditional_orders: int = _or_unlimited(rules.max_conditional_orders)
        self.guard.set_rules(rules)
        self._band_down: int = rules.band_down_ppm
        self._band_up: int = rules.band_up_ppm
        self._band_price = None

    def fees_of(self, tier: int) -> tuple[int, int]:
        """Maker and taker fee of an account of that tier, in parts per million."""
        return self.tier_fees.get(tier) or (self.rules.maker_fee_ppm, self.rules.taker_fee_ppm)


def _or_unlimited(limit: int | None) -> int:
    return _UNLIMITED if limit is None or limit > _UNLIMITED else limit


class Markets:
    """All assets and markets by symbol, who takes part, and the numbering of depth."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self.assets: dict[str, Asset] = {}
        self._markets: dict[str, Market] = {}

    def __iter__(self) -> Iterator[Market]:
        return iter(self._markets.values())

    def get(self, symbol: str) -> Market | None:
        return self._markets.get(symbol)

    def participant(self, account: Account, market: Market) -> Participant:
        """The account's place in the market, made where there is none yet."""
        participant = account.participants.get(market.symbol)
        if participant is None:
            participant = account.participants[market.symbol] = Participant(account, market)
        return participant

    def define_asset(self, command: DefineAsset) -> Refused | None:
        known = self.assets.get(command.symbol)
        if refused := check_asset(command, None if known is None else known.scale):
            return refused
        self.assets.setdefault(command.symbol, Asset(command.symbol, command.scale))
        self._events.append(AssetDefined(command.symbol, command.scale))
        return None

    def define_market(
        self, rules: DefineMarket, accounts: Iterator[Account], now: int
    ) -> Refused | None:
        for symbol in (rules.base, rules.quote):
            if symbol not in self.assets:
                return Refused(Code.UNKNOWN_ASSET, f"there is no asset {symbol[:20]}")
        known = self._markets.get(rules.symbol)
        if refused := check_market(rules, known, self.assets[rules.base].scale):
            return refused
        market = self.open(rules)
        if market.last_price is not None:
            market.guard.begin(now, market.last_price)
        self._charge_anew(market, accounts)
        self._events.append(MarketDefined(*astuple(rules)))
        return None

    def open(self, rules: DefineMarket) -> Market:
        """The market with these rules from now on, made where there is none yet."""
        market = self._markets.get(rules.symbol)
        if market is None:
            market = Market(rules, self.assets[rules.base], self.assets[rules.quote])
            self._markets[rules.symbol] = market
        else:
            market.set_rules(rules)
        return market

    def set_fees(self, command: SetFees, accounts: Iterator[Account]) -> Refused | None:
        market = self._markets.get(command.market)
        if market is None:
            return Refused(Code.UNKNOWN_MARKET, f"there is no market {command.market[:20]}")
        if refused := check_fees(command, market):
            return refused
        market.tier_fees[command.tier] = (command.maker_fee_ppm, command.taker_fee_ppm)
        self._charge_anew(market, accounts)
        self._events.append(
            FeesSet(command.market, command.tier, command.maker_fee_ppm, command.taker_fee_ppm)
        )
        return None

    def set_tier(self, account: Account, tier: int) -> None:
        account.tier = tier
        for participant in account.participants.values():
            fees = participant.market.fees_of(tier)
            participant.maker_fee_ppm, participant.taker_fee_ppm = fees

    def level_changed(self, market: Market, side: BookSide, level: PriceLevel) -> None:
        market.depth_number += 1
        self._events.append(
            _depth_changed(
                market.symbol, market.depth_number, side.side, level.price, level.quantity
            )
        )

    @staticmethod
    def _charge_anew(market: Market, accounts: Iterator[Account]) -> None:
        for account in accounts:
            participant = account.participants.get(market.symbol)
            if participant is not None:
                fees = market.fees_of(account.tier)
                participant.maker_fee_ppm, participant.taker_fee_ppm = fees
