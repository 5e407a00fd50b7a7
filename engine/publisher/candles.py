"""The newest candle of each interval, in integers, as the trades come."""

from typing import Final

import msgspec
from msgspec.structs import replace

from engine.intervals import Interval

_ALL: Final = tuple(Interval)
_SHORTEST: Final = Interval.S1
"""All others begin and end with one of these."""


class LiveCandle(msgspec.Struct, array_like=True):
    """A candle that may still grow. Amounts in smallest units, times in milliseconds."""

    open_time: int
    close_time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trades: int
    taker_buy_volume: int
    taker_buy_quote_volume: int
    first_id: int
    last_id: int
    told_closed: bool = False
    """Whether the streams have been told that it is closed."""

    def grow(self, later: "LiveCandle") -> None:
        """By trades that came after its own."""
        if later.high > self.high:
            self.high = later.high
        if later.low < self.low:
            self.low = later.low
        self.close = later.close
        self.volume += later.volume
        self.quote_volume += later.quote_volume
        self.trades += later.trades
        self.taker_buy_volume += later.taker_buy_volume
        self.taker_buy_quote_volume += later.taker_buy_quote_volume
        self.last_id = later.last_id
        self.told_closed = False


class LiveCandles:
    """One candle an interval. `changed` and `closed` wait to be told to the streams.

    Trades of one second gather in a candle of their own, which the intervals have only when
    somebody looks: a busy market trades much more often.
    """

    def __init__(self, candles: dict[Interval, LiveCandle] | None = None) -> None:
        self._newest = candles or {}
        self._changed: set[Interval] = set()
        self._closed: list[tuple[Interval, LiveCandle]] = []
        self._gathered: LiveCandle | None = None

    @property
    def newest(self) -> dict[Interval, LiveCandle]:
        self._spread()
        return self._newest

    @property
    def changed(self) -> set[Interval]:
        self._spread()
        return self._changed

    @property
    def closed(self) -> list[tuple[Interval, LiveCandle]]:
        self._spread()
        return self._closed

    def add(
        self, trade_id: int, time: int, price: int, quantity: int, quote: int, taker_buys: bool
    ) -> None:
        gathered = self._gathered
        if gathered is None or time > gathered.close_time:
            self._spread()
            open_time = _SHORTEST.open_time(time)
            gathered = self._gathered = LiveCandle(
                open_time, _SHORTEST.close_time(open_time), price, price, price, price,
                0, 0, 0, 0, 0, trade_id, trade_id,
            )  # fmt: skip
        elif price > gathered.high:
            gathered.high = price
        elif price < gathered.low:
            gathered.low = price
        gathered.close = price
        gathered.volume += quantity
        gathered.quote_volume += quote
        gathered.trades += 1
        gathered.last_id = trade_id
        if taker_buys:
            gathered.taker_buy_volume += quantity
            gathered.taker_buy_quote_volume += quote

    def _spread(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered is None:
            return
        for interval in _ALL:
            candle = self._newest.get(interval)
            if candle is not None and gathered.open_time <= candle.close_time:
                candle.grow(gathered)
            else:
                if candle is not None:
                    self._close(interval, candle)
                open_time = interval.open_time(gathered.open_time)
                self._newest[interval] = replace(
                    gathered, open_time=open_time, close_time=interval.close_time(open_time)
                )
        self._changed.update(_ALL)

    def close_until(self, time: int) -> bool:
        """Close the candles that ended before `time`; whether there were any."""
        self._spread()
        closed = len(self._closed)
        for interval, candle in self._newest.items():
            if candle.close_time < time:
                self._close(interval, candle)
        return len(self._closed) > closed

    def _close(self, interval: Interval, candle: LiveCandle) -> None:
        if not candle.told_closed:
            candle.told_closed = True
            self._closed.append((interval, candle))
        self._changed.discard(interval)

    def told(self) -> None:
        self._spread()
        self._changed.clear()
        self._closed.clear()
