"""What the market maker quotes: `MARKET_MAKER` of the settings, and the markets' rules."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self


@dataclass(frozen=True)
class Parameters:
    """Fractions are of the price. Each market moves once in `interval_s`."""

    url: str
    markets: dict[str, str]
    """Symbols, and where their walks start."""
    seed: int | None = None
    """Of all randomness; None: another one with each start."""
    interval_s: float = 1.0
    step_sigma: float = 0.00015
    step_limit: float = 0.0005
    half_spread: float = 0.00005
    spacing: float = 0.0001
    """Between two levels, of the price at the start."""
    levels: int = 25
    """A side."""
    notional: float = 3_000.0
    """What an order at the best price is worth, in quote units where the price is quoted in USDT;
    worth as much in other quote assets."""
    refreshed: int = 3
    """Orders a turn that are replaced though their price is still right."""
    take_chance: float = 0.4
    """Of an order that takes, a turn."""

    @classmethod
    def from_settings(cls, values: dict[str, Any]) -> Self:
        return cls(**values)


@dataclass(frozen=True)
class Rules:
    """What of a market's rules a quote has to keep. Amounts in whole units of their assets."""

    symbol: str
    tick: Decimal
    step: Decimal
    min_notional: Decimal

    def price_text(self, ticks: int) -> str:
        return f"{self.tick * ticks:f}"

    def quantity_text(self, steps: int) -> str:
        return f"{self.step * steps:f}"

    def ticks(self, price: float) -> float:
        return price / float(self.tick)

    def steps_worth(self, notional: float, ticks: int) -> int:
        """The quantity, in steps, that is worth this much, and enough to be accepted."""
        price = float(self.tick) * ticks
        wanted = max(notional, float(self.min_notional) * 1.1)
        return max(1, int(wanted / price / float(self.step)) + 1)
