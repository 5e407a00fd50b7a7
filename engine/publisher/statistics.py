"""The last 24 hours of a market, rolling by the minute."""

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from engine.intervals import DAY, MINUTE


class Minute(msgspec.Struct, array_like=True):
    """The trades of one minute. Amounts in smallest units."""

    open_time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trades: int
    first_id: int


class Statistics(msgspec.Struct, frozen=True, array_like=True):
    """Without a trade in the window all prices are the last one's; zeros where none ever was."""

    open: int
    high: int
    low: int
    last: int
    last_quantity: int
    last_id: int
    volume: int
    quote_volume: int
    trades: int
    first_id: int
    price_before: int
    """The last price before the window; 0 where it is not known."""


WINDOW_MS: Final = DAY


class DayWindow:
    """`dirty` and `expired` are the minutes that the store has to write and to forget."""

    def __init__(
        self,
        minutes: Iterable[Minute] = (),
        *,
        last: int = 0,
        last_quantity: int = 0,
        last_id: int = 0,
        before: int = 0,
    ) -> None:
        self.minutes = deque(sorted(minutes, key=lambda minute: minute.open_time))
        self.last, self.last_quantity, self.last_id = last, last_quantity, last_id
        self.before = before
        self.dirty: dict[int, Minute] = {}
        self.expired: list[int] = []
        self.changed = False
        self._volume = sum(minute.volume for minute in self.minutes)
        self._quote_volume = sum(minute.quote_volume for minute in self.minutes)
        self._trades = sum(minute.trades for minute in self.minutes)

    def add(self, trade_id: int, time: int, price: int, quantity: int, quote: int) -> None:
        open_time = time - time % MINUTE
        if not self.minutes or self.minutes[-1].open_time < open_time:
            self.minutes.append(Minute(open_time, price, price, price, price, 0, 0, 0, trade_id))
        minute = self.minutes[-1]
        if price > minute.high:
            minute.high = price
        elif price < minute.low:
            minute.low = price
        minute.close = price
        minute.volume += quantity
        minute.quote_volume += quote
        minute.trades += 1
        self._volume += quantity
        self._quote_volume += quote
        self._trades += 1
        self.last, self.last_quantity, self.last_id = price, quantity, trade_id
        self.dirty[minute.open_time] = minute
        self.changed = True

    def expire(self, now: int) -> None:
        """Forget the minutes that began more than a day ago."""
        while self.minutes and self.minutes[0].open_time < now - WINDOW_MS:
            gone = self.minutes.popleft()
            self._volume -= gone.volume
            self._quote_volume -= gone.quote_volume
            self._trades -= gone.trades
            self.before = gone.close
            self.dirty.pop(gone.open_time, None)
            self.expired.append(gone.open_time)
            self.changed = True

    def statistics(self) -> Statistics:
        minutes = self.minutes
        return Statistics(
            open=minutes[0].open if minutes else self.last,
            high=max((minute.high for minute in minutes), default=self.last),
            low=min((minute.low for minute in minutes), default=self.last),
            last=self.last,
            last_quantity=self.last_quantity,
            last_id=self.last_id,
            volume=self._volume,
            quote_volume=self._quote_volume,
            trades=self._trades,
            first_id=minutes[0].first_id if minutes else 0,
            price_before=self.before,
        )
