"""The engine's time, by which commands expire, as this process has heard of it.

It is that of the newest reply, and counted on from there. So nobody who sets this machine's clock
makes orders expire early or late.
"""

import time
from typing import Final


class EngineTime:
    def __init__(self) -> None:
        self._offset_ms = time.time_ns() // 1_000_000 - _monotonic_ms()

    def heard(self, time_ms: int) -> None:
        """A reply of that time has come."""
        self._offset_ms = time_ms - _monotonic_ms()

    def now_ms(self) -> int:
        return _monotonic_ms() + self._offset_ms


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


ENGINE_TIME: Final = EngineTime()
