"""The worker's clock."""

import time


class SteadyClock:
    """Wall clock at start, monotonic from then on: nobody who sets the clock moves the exchange."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now_ms(self) -> int:
        return int((time.monotonic() + self._offset) * 1000)

    def not_before(self, time_ms: int) -> None:
        """Go on from there if the wall clock was set back since: time may lag, but never stops."""
        self._offset += max(0, time_ms - self.now_ms()) / 1000
