"""Assets and markets as the order path needs them: in this process, at most a second old.

What is not among them may have been defined a moment ago: the tables are asked for that one alone.
While the database does not answer, those last read serve for minutes (see `remembered.py`): they
hardly ever change, and the engine checks every order against its own rules.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.core.commands import DefineMarket
from engine.core.types import MAX_AMOUNT, Phase
from engine.times import to_milliseconds
from exchange_site.database.remembered import Remembered, ask_patiently
from exchange_site.errors import CodedError
from exchange_site.threads import in_thread
from markets.models import Asset, Market

LIFETIME_S: Final = 1.0


class UnknownMarket(CodedError):
    def __init__(self, symbol: str) -> None:
        super().__init__("UNKNOWN_MARKET", f"there is no market {symbol}", field="symbol")


@dataclass(frozen=True, slots=True)
class MarketDefinition:
    symbol: str
    base: str
    quote: str
    base_scale: int
    quote_scale: int
    rules: DefineMarket
    phase: Phase
    phase_until: int | None


@dataclass(frozen=True, slots=True)
class _Definitions:
    scales: dict[str, int]
    markets: dict[str, MarketDefinition]


def get_definition(*, symbol: str) -> MarketDefinition:
    """Raises UnknownMarket; DatabaseUnavailable where that cannot be told."""
    definition = _definitions().markets.get(symbol)
    return definition or ask_patiently(lambda: _load_definition(symbol))


def definition_at_hand(*, symbol: str) -> MarketDefinition | None:
    """What `get_definition` finds without a wait, as it does once it was asked; else None."""
    definitions = _remembered.at_hand(None)
    return None if definitions is None else definitions.markets.get(symbol)


def known_definition(*, symbol: str) -> MarketDefinition:
    """For what never changes of a market, its assets and their scales: without a wait, wherever it
    was asked for within the last minutes. Raises UnknownMarket."""
    definitions = _remembered.last_known(None)
    known = None if definitions is None else definitions.markets.get(symbol)
    return known or get_definition(symbol=symbol)


async def aget_definition(*, symbol: str) -> MarketDefinition:
    """`get_definition` in an event loop: at hand, or asked for on a thread."""
    definition = definition_at_hand(symbol=symbol)
    if definition is None:
        definition = await in_thread(lambda: get_definition(symbol=symbol), brief=True)
    return definition


def list_definitions() -> list[MarketDefinition]:
    """All markets, in `listed_order`."""
    return sorted(_definitions().markets.values(), key=listed_order)


def listed_order(market: MarketDefinition) -> tuple[str, str, bool, str]:
    """By base and quote asset. Of several markets of the same two, the one that bears their names
    comes last: clients that know markets by their assets, such as ccxt, keep the last one."""
    is_namesake = market.symbol == market.base + market.quote
    return market.base, market.quote, is_namesake, market.symbol


def list_assets() -> list[str]:
    return sorted(_definitions().scales)


def knows_scale(*, asset: str) -> bool:
    """Whether `get_scale` need not wait."""
    definitions = _remembered.last_known(None)
    return definitions is not None and asset in definitions.scales


def get_scale(*, asset: str) -> int:
    """Decimal places, which never change, of an asset that the engine spoke of."""
    known = _remembered.last_known(None)
    scale = None if known is None else known.scales.get(asset)
    if scale is None:
        scale = _definitions().scales.get(asset)
    if scale is None:
        scale = ask_patiently(lambda: Asset.objects.get(symbol=asset).scale)
    return scale


def _definitions() -> _Definitions:
    return _remembered.get(None)


def _load(_: None) -> _Definitions:
    scales = dict(Asset.objects.values_list("symbol", "scale"))
    markets = {
        row.symbol: _definition(row, scales[row.base_id], scales[row.quote_id])
        for row in Market.objects.all()
        if row.base_id in scales and row.quote_id in scales
    }
    return _Definitions(scales, markets)


def _load_definition(symbol: str) -> MarketDefinition:
    row = Market.objects.select_related("base", "quote").filter(symbol=symbol).first()
    if row is None:
        raise UnknownMarket(symbol)
    return _definition(row, row.base.scale, row.quote.scale)


def _definition(row: Market, base_scale: int, quote_scale: int) -> MarketDefinition:
    rules = DefineMarket(
        symbol=row.symbol,
        base=row.base_id,
        quote=row.quote_id,
        tick=_units(row.tick, quote_scale),
        step=_units(row.step, base_scale),
        min_quantity=_units(row.min_quantity, base_scale),
        max_quantity=_units(row.max_quantity, base_scale),
        min_notional=_units(row.min_notional, quote_scale),
        band_down_ppm=row.band_down_ppm,
        band_up_ppm=row.band_up_ppm,
        maker_fee_ppm=row.maker_fee_ppm,
        taker_fee_ppm=row.taker_fee_ppm,
        max_notional=MAX_AMOUNT
        if row.max_notional is None
        else _units(row.max_notional, quote_scale),
        max_open_orders=row.max_open_orders,
        max_conditional_orders=row.max_conditional_orders,
        trigger_band_ppm=row.trigger_band_ppm,
        guard_ppm=row.guard_ppm,
        guard_window_ms=row.guard_window_ms,
        guard_pause_ms=row.guard_pause_ms,
    )
    return MarketDefinition(
        row.symbol,
        row.base_id,
        row.quote_id,
        base_scale,
        quote_scale,
        rules,
        Phase(row.phase),
        None if row.phase_until is None else to_milliseconds(row.phase_until),
    )


def _units(amount: Decimal, scale: int) -> int:
    return int(amount.scaleb(scale))


_remembered: Final[Remembered[None, _Definitions]] = Remembered(_load, fresh_s=LIFETIME_S)
