"""The intervals of candles and where their borders lie: those of Binance, in UTC.

Times here are milliseconds since the epoch UTC.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_MONDAY: Final = 4 * DAY
"""The epoch was a Thursday; weeks are counted from the Monday after it."""


class Interval(StrEnum):
    S1 = "1s"
    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H8 = "8h"
    H12 = "12h"
    D1 = "1d"
    D3 = "3d"
    W1 = "1w"
    MONTH = "1M"

    def open_time(self, time: int) -> int:
        """When the candle that holds `time` opens."""
        if self is Interval.MONTH:
            month = datetime.fromtimestamp(time // 1000, UTC).replace(
                day=1, hour=0, minute=0, second=0
            )
            return int(month.timestamp()) * 1000
        offset = _MONDAY if self is Interval.W1 else 0
        return time - (time - offset) % _LENGTHS[self]

    def close_time(self, open_time: int) -> int:
        """The last millisecond of the candle that opens at `open_time`."""
        if self is Interval.MONTH:
            # 31 days after the first of a month is always within the next one.
            return self.open_time(open_time + 31 * DAY) - 1
        return open_time + _LENGTHS[self] - 1


_LENGTHS: Final = {
    Interval.S1: SECOND,
    Interval.M1: MINUTE,
    Interval.M3: 3 * MINUTE,
    Interval.M5: 5 * MINUTE,
    Interval.M15: 15 * MINUTE,
    Interval.M30: 30 * MINUTE,
    Interval.H1: HOUR,
    Interval.H2: 2 * HOUR,
    Interval.H4: 4 * HOUR,
    Interval.H6: 6 * HOUR,
    Interval.H8: 8 * HOUR,
    Interval.H12: 12 * HOUR,
    Interval.D1: DAY,
    Interval.D3: 3 * DAY,
    Interval.W1: 7 * DAY,
}
