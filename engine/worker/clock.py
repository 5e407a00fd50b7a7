"""The worker's clock."""

import time
from collections.abc import Callable


class SteadyClock:
    """Wall clock at start, monotonic from then on: nobody who sets the clock moves the exchange."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Both in seconds; `wall` since the epoch, UTC."""
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def now_ms(self) -> int:
        return int((self._monotonic() + self._offset) * 1000)

    def not_before(self, time_ms: int) -> None:
        """Go on from there if the wall clock was set back since: time may lag, but never stops."""
        self._offset += max(0, time_ms - self.now_ms()) / 1000
