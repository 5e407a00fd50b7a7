"""Assets and markets as the order path needs them: in this process, at most a second old.

While the database does not answer, those last read serve for minutes (see `remembered.py`): they
hardly ever change, and the engine checks every order against its own rules.
"""

from dataclasses import dataclass
from typing import Final

from exchange_site.database.remembered import Remembered
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
class _Definitions:
    scales: dict[str, int]
    markets: dict[str, MarketDefinition]


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


def _definitions(fresh_s: float) -> _Definitions:
    return _remembered.get(None, fresh_s=fresh_s)


def _load(_: None) -> _Definitions:
    scales = dict(Asset.objects.values_list("symbol", "scale"))
    markets = {
        symbol: MarketDefinition(symbol, base, quote, scales[base], scales[quote])
        for symbol, base, quote in Market.objects.values_list("symbol", "base_id", "quote_id")
        if base in scales and quote in scales
    }
    return _Definitions(scales, markets)


_remembered: Final[Remembered[None, _Definitions]] = Remembered(_load)
