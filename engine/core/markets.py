"""Assets and markets: what may be traded, and by which rules."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec.structs import astuple

from engine.core.commands import DefineAsset, DefineMarket
from engine.core.events import AssetDefined, DepthChanged, Event, MarketDefined
from engine.core.order_book import BookSide, OrderBook, PriceLevel
from engine.core.rejections import Code
from engine.core.replies import Refused
from engine.core.types import MAX_AMOUNT, MAX_SCALE, PPM

_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)


class Asset:
    """Something that can be owned, counted in units of 10^-scale."""

    __slots__ = ("scale", "symbol")

    def __init__(self, symbol: str, scale: int) -> None:
        self.symbol = symbol
        self.scale = scale


class Market:
    """A pair of assets, its rules, its book, and its counters."""

    __slots__ = (
        "_unit",
        "base",
        "book",
        "depth_number",
        "highest_price",
        "last_price",
        "lowest_price",
        "quote",
        "rules",
        "trade_id",
    )

    def __init__(self, rules: DefineMarket, base: Asset, quote: Asset) -> None:
        self.rules = rules
        self.base = base.symbol
        self.quote = quote.symbol
        self._unit: int = 10**base.scale
        self.book = OrderBook()
        self.last_price: int | None = None
        self.lowest_price = 0
        self.highest_price = MAX_AMOUNT
        """The price band, bounds included: all prices before the first trade."""
        self.trade_id = 0
        self.depth_number = 0

    @property
    def grid(self) -> tuple[int, int]:
        return self.rules.tick, self.rules.step

    def notional(self, price: int, quantity: int) -> int:
        """What `quantity` costs at `price`, in the quote asset.

        Exact for every multiple of tick and step: see `Markets._check_market`.
        """
        return price * quantity // self._unit

    def traded_at(self, price: int) -> None:
        """Count a trade; move the price band with it."""
        self.trade_id += 1
        if price != self.last_price:
            self.last_price = price
            self._move_band()

    def set_rules(self, rules: DefineMarket) -> None:
        self.rules = rules
        self._move_band()

    def _move_band(self) -> None:
        if self.last_price is not None:
            self.lowest_price = -(-self.last_price * self.rules.band_down_ppm // PPM)
            self.highest_price = self.last_price * self.rules.band_up_ppm // PPM


def fee(received: int, rate_ppm: int) -> int:
    """The fee on an amount received, rounded up: towards the house, for rebates too."""
    return -(-received * rate_ppm // PPM)


class Markets:
    """All assets and markets by symbol, and the numbering of depth."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self.assets: dict[str, Asset] = {}
        self._markets: dict[str, Market] = {}

    def __iter__(self) -> Iterator[Market]:
        return iter(self._markets.values())

    def get(self, symbol: str) -> Market | None:
        return self._markets.get(symbol)

    def define_asset(self, command: DefineAsset) -> Refused | None:
        if refused := self._check_asset(command):
            return refused
        self.assets.setdefault(command.symbol, Asset(command.symbol, command.scale))
        self._emit(AssetDefined(command.symbol, command.scale))
        return None

    def define_market(self, rules: DefineMarket) -> Refused | None:
        if refused := self._check_market(rules):
            return refused
        self.open(rules)
        self._emit(MarketDefined(*astuple(rules)))
        return None

    def open(self, rules: DefineMarket) -> Market:
        """The market with these rules from now on, made where there is none yet."""
        market = self._markets.get(rules.symbol)
        if market is None:
            market = Market(rules, self.assets[rules.base], self.assets[rules.quote])
            self._markets[rules.symbol] = market
        market.set_rules(rules)
        return market

    def level_changed(self, market: Market, side: BookSide, level: PriceLevel) -> None:
        market.depth_number += 1
        self._emit(
            DepthChanged(
                market.rules.symbol, market.depth_number, side.side, level.price, level.quantity
            )
        )

    def _check_asset(self, command: DefineAsset) -> Refused | None:
        if not _SYMBOL.fullmatch(command.symbol):
            return Refused(Code.INVALID_ASSET, "a symbol is 1 to 20 of A-Z and 0-9")
        if not 0 <= command.scale <= MAX_SCALE:
            return Refused(Code.INVALID_ASSET, f"the scale is 0 to {MAX_SCALE}")
        known = self.assets.get(command.symbol)
        if known is not None and known.scale != command.scale:
            return Refused(Code.INVALID_ASSET, "the scale of an asset never changes")
        return None

    def _check_market(self, rules: DefineMarket) -> Refused | None:
        if not _SYMBOL.fullmatch(rules.symbol):
            return Refused(Code.INVALID_MARKET, "a symbol is 1 to 20 of A-Z and 0-9")
        for symbol in (rules.base, rules.quote):
            if symbol not in self.assets:
                return Refused(Code.UNKNOWN_ASSET, f"there is no asset {symbol[:20]}")
        if rules.base == rules.quote:
            return Refused(Code.INVALID_MARKET, "an asset has no market with itself")
        known = self._markets.get(rules.symbol)
        if known is not None and (known.base, known.quote) != (rules.base, rules.quote):
            return Refused(Code.INVALID_MARKET, "the assets of a market never change")
        if problem := _problem_with_rules(rules, self.assets[rules.base].scale):
            return Refused(Code.INVALID_MARKET, problem)
        grid = (rules.tick, rules.step)
        if known is not None and not known.book.is_empty and grid != known.grid:
            # Prices of one grid times quantities of another need not be whole amounts.
            return Refused(Code.INVALID_MARKET, "tick and step change only while no order stands")
        return None


def _problem_with_rules(rules: DefineMarket, base_scale: int) -> str | None:
    if not (0 < rules.tick <= MAX_AMOUNT and 0 < rules.step <= MAX_AMOUNT):
        return "tick and step must be positive"
    if rules.tick * rules.step % 10**base_scale:
        return "tick times step must be a whole number of the quote asset's smallest unit"
    if not rules.step <= rules.min_quantity <= rules.max_quantity <= MAX_AMOUNT:
        return "quantities must keep step <= minimum <= maximum"
    if not 0 <= rules.min_notional <= MAX_AMOUNT:
        return "the minimum notional must not be negative"
    if not 0 < rules.band_down_ppm <= PPM <= rules.band_up_ppm <= 1_000 * PPM:
        return "the price band must hold the last price itself"
    if not all(-PPM < rate < PPM for rate in (rules.maker_fee_ppm, rules.taker_fee_ppm)):
        return "fees must be below 100 %"
    if rules.maker_fee_ppm + rules.taker_fee_ppm < 0:
        return "a rebate must not exceed the other side's fee"
    return None
