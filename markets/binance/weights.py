"""What a request weighs, by its endpoint and parameters, as Binance counts it."""

import math
from collections.abc import Callable
from typing import Final

from markets.binance.parameters import Parameters

Weight = Callable[[Parameters], int]

LEAST_WEIGHT: Final = 1
"""Of a request that cannot even be read."""


def flat(weight: int) -> Weight:
    return lambda _: weight


def by_depth(parameters: Parameters) -> int:
    """By the number of levels. One that is no number is refused later, and costs the least."""
    text = parameters.get("limit", "")
    limit = int(text[:5]) if text.isascii() and text.isdecimal() else 100
    return next(weight for most, weight in _DEPTH if limit <= most)


_DEPTH: Final = ((100, 5), (500, 25), (1_000, 50), (math.inf, 250))


def by_symbol(one: int, every: int) -> Weight:
    """Of one market, or of all."""
    return lambda parameters: one if "symbol" in parameters else every


def by_symbols(one: int, several: Callable[[int], int], every: int) -> Weight:
    """Of one market, of those in a list, or of all."""

    def weight(parameters: Parameters) -> int:
        if "symbol" in parameters:
            return one
        if "symbols" in parameters:
            return several(parameters["symbols"].count(",") + 1)
        return every

    return weight


def of_day_tickers(number: int) -> int:
    return 2 if number <= 20 else 40 if number <= 100 else 80


def of_a_test(parameters: Parameters) -> int:
    return 20 if parameters.get("computeCommissionRates", "").lower() == "true" else 1


def of_my_trades(parameters: Parameters) -> int:
    return 5 if "orderId" in parameters else 20
