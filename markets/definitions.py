"""Assets and markets as the order path needs them: in this process, at most a second old."""

import time
from dataclasses import dataclass
from typing import Final

from exchange_site.errors import CodedError
from markets.models import Asset, Market

LIFETIME_S: Final = 1.0
RELOAD_AT_MOST_EVERY_S: Final = 0.1
"""What is not known may have been defined a moment ago: then one looks again, but not always."""


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


@dataclass(frozen=True, slots=True)
class _Loaded:
    at: float
    scales: dict[str, int]
    markets: dict[str, MarketDefinition]


_loaded = _Loaded(at=float("-inf"), scales={}, markets={})


def get_definition(*, symbol: str) -> MarketDefinition:
    """Raises UnknownMarket."""
    definition = _definitions(LIFETIME_S).markets.get(symbol)
    if definition is None:
        definition = _definitions(RELOAD_AT_MOST_EVERY_S).markets.get(symbol)
    if definition is None:
        raise UnknownMarket(symbol)
    return definition


def get_scale(*, asset: str) -> int:
    """Decimal places of an asset that the engine spoke of."""
    scale = _definitions(LIFETIME_S).scales.get(asset)
    if scale is None:
        scale = _definitions(0).scales[asset]
    return scale


def _definitions(lifetime_s: float) -> _Loaded:
    global _loaded
    now = time.monotonic()
    if now - _loaded.at > lifetime_s:
        _loaded = _load(now)
    return _loaded


def _load(now: float) -> _Loaded:
    scales = dict(Asset.objects.values_list("symbol", "scale"))
    markets = {
        symbol: MarketDefinition(symbol, base, quote, scales[base], scales[quote])
        for symbol, base, quote in Market.objects.values_list("symbol", "base_id", "quote_id")
        if base in scales and quote in scales
    }
    return _Loaded(now, scales, markets)
