"""Orders that take: they make the trades, and remove strangers' orders that stand in the way."""

from random import Random

from engine.core.types import Side
from markets.market_maker.ladder import Quote
from markets.market_maker.parameters import Parameters, Rules


class Taker:
    """Decides for one market. Its orders are ioc at a limit near the price."""

    REACH = 0.0005
    """How far from the price it takes, as a fraction."""

    def __init__(
        self, rules: Rules, parameters: Parameters, *, notional: float, random: Random
    ) -> None:
        self._rules = rules
        self._chance = parameters.take_chance
        self._notional = notional
        self._random = random
        self._blocked: Quote | None = None
        self._lean = 0.0

    def blocked(self, quote: Quote) -> None:
        """This quote would have taken: somebody's order stands better than the price is."""
        self._blocked = quote

    def next(self, price: float) -> Quote | None:
        if self._blocked is not None:
            quote, self._blocked = self._blocked, None
            return quote
        if self._random.random() >= self._chance:
            return None
        # Runs of one side look like a market; over time both are as frequent.
        self._lean = 0.8 * self._lean + self._random.gauss(0, 0.6)
        side = Side.BUY if self._random.gauss(self._lean, 0.7) > 0 else Side.SELL
        limit = price * (1 + self.REACH if side is Side.BUY else 1 - self.REACH)
        ticks = max(1, round(self._rules.ticks(limit)))
        notional = self._notional * self._random.lognormvariate(-1.2, 1.0)
        return Quote(side, ticks, self._rules.steps_worth(notional, ticks))
