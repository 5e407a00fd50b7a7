"""How long to wait before a part is started again."""

from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Doubles from `first_s` to `longest_s`; a run of `stable_s` starts over, however it ended.

    A part that had been up for a second when it was killed did not fail by itself: it comes back
    at once, however often somebody does that.
    """

    first_s: float = 0.1
    longest_s: float = 10.0
    stable_s: float = 10.0
    _next_s: float = field(init=False, default=0.0)

    def delay_after(self, ran_s: float, *, killed: bool = False) -> float:
        """Seconds to wait after a run that lasted `ran_s`."""
        if ran_s >= self.stable_s or not self._next_s:
            self._next_s = self.first_s
        if killed and ran_s >= 1.0:
            return self.first_s
        delay, self._next_s = self._next_s, min(self._next_s * 2, self.longest_s)
        return delay
