"""Between the engine's milliseconds since the epoch UTC and the database's datetimes."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND


def to_datetime(time_ms: int) -> datetime:
    """A time before the epoch or after the year 9999 becomes the nearest one within: callers
    ask for, and orders are good till, whatever number they like."""
    return _EPOCH + min(max(time_ms, 0), _LAST) * _MILLISECOND


def to_milliseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MILLISECOND
