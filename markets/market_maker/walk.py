"""Where the price goes: a random walk in small steps."""

from random import Random


class RandomWalk:
    """Normally distributed relative steps, none larger than `limit`."""

    def __init__(self, start: float, *, sigma: float, limit: float, random: Random) -> None:
        assert start > 0
        assert 0 < limit < 1
        self.price = start
        self._sigma = sigma
        self._limit = limit
        self._random = random

    def step(self) -> float:
        """Move, and return the new price."""
        change = self._random.gauss(0.0, self._sigma)
        self.price *= 1.0 + max(-self._limit, min(self._limit, change))
        return self.price
