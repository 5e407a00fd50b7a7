"""A market's last 24 hours, as it is told."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_PERCENT_PLACES: Final = Decimal("0.001")


@dataclass(frozen=True)
class Ticker:
    """Prices are None for a market that never traded. Without a trade in the window all prices
    are the last one's. Times in milliseconds."""

    symbol: str
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    last: Decimal | None
    last_quantity: Decimal | None
    volume: Decimal
    quote_volume: Decimal
    trades: int
    first_id: int
    last_id: int
    """Of the trades in the window; 0 where there is none."""
    previous_close: Decimal | None
    """The last price before the window."""
    open_time: int
    close_time: int

    @property
    def price_change(self) -> Decimal:
        return self.last - self.open if self.last is not None and self.open else Decimal(0)

    @property
    def average(self) -> Decimal | None:
        """By volume; the last price where nothing traded."""
        return self.quote_volume / self.volume if self.volume else self.last

    @property
    def price_change_percent(self) -> Decimal:
        change = self.price_change / self.open * 100 if self.open else Decimal(0)
        return change.quantize(_PERCENT_PLACES)
