"""The volatility guard: how far the price may move within a time."""

from bisect import bisect_right

from engine.core.commands import DefineMarket
from engine.core.types import MAX_AMOUNT, PPM


class PriceGuard:
    """Remembers the prices of the last `guard_window_ms`, one a millisecond at most."""

    __slots__ = ("_ppm", "_window_ms", "samples")

    def __init__(self) -> None:
        self._ppm = 0
        self._window_ms = 0
        self.samples: list[tuple[int, int]] = []
        """`(time, last price then)`, oldest first; the first may be older than the window."""

    def set_rules(self, rules: DefineMarket) -> None:
        self._ppm = rules.guard_ppm or 0
        self._window_ms = rules.guard_window_ms
        if not self._ppm:
            self.samples.clear()

    @property
    def is_armed(self) -> bool:
        """Is there a price yet that the next one is compared with?"""
        return bool(self.samples)

    def bounds(self, now: int) -> tuple[int, int]:
        """Lowest and highest price at which a trade may happen now."""
        if not self.samples:
            return 0, MAX_AMOUNT
        reference = self.samples[self._oldest_that_counts(now)][1]
        lowest = -(-reference * (PPM - self._ppm) // PPM)
        return lowest, reference * (PPM + self._ppm) // PPM

    def record(self, now: int, price: int) -> None:
        """A trade happened."""
        if not self._ppm:
            return
        if self.samples:
            del self.samples[: self._oldest_that_counts(now)]
            if self.samples[-1][0] == now:
                self.samples.pop()
        self.samples.append((now, price))

    def _oldest_that_counts(self, now: int) -> int:
        """Index of the price of `guard_window_ms` ago, or of the oldest there is."""
        return max(0, bisect_right(self.samples, (now - self._window_ms, MAX_AMOUNT)) - 1)

    def begin(self, now: int, price: int) -> None:
        """The rules may have brought a guard: the last price is what it compares with first."""
        if not self.samples:
            self.record(now, price)

    def restart(self, now: int, price: int) -> None:
        """An auction found a price: from there on it counts anew."""
        self.samples.clear()
        self.record(now, price)
