"""The worker's clock."""

import time


class SteadyClock:
    """Wall clock at start, monotonic from then on: nobody who sets the clock moves the exchange."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now_ms(self) -> int:
        return int((time.monotonic() + self._offset) * 1000)
