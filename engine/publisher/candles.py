"""The newest candle of each interval, in integers, as the trades come."""

import msgspec

from engine.intervals import Interval


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


class LiveCandles:
    """One candle an interval. `changed` and `closed` wait to be told to the streams."""

    def __init__(self, candles: dict[Interval, LiveCandle] | None = None) -> None:
        self.newest = candles or {}
        self.changed: set[Interval] = set()
        self.closed: list[tuple[Interval, LiveCandle]] = []

    def add(
        self, trade_id: int, time: int, price: int, quantity: int, quote: int, taker_buys: bool
    ) -> None:
        for interval in Interval:
            candle = self.newest.get(interval)
            if candle is None or time > candle.close_time:
                if candle is not None:
                    self._close(interval, candle)
                open_time = interval.open_time(time)
                candle = self.newest[interval] = LiveCandle(
                    open_time, interval.close_time(open_time), price, price, price, price,
                    0, 0, 0, 0, 0, trade_id, trade_id,
                )  # fmt: skip
            elif price > candle.high:
                candle.high = price
            elif price < candle.low:
                candle.low = price
            candle.close = price
            candle.volume += quantity
            candle.quote_volume += quote
            candle.trades += 1
            candle.last_id = trade_id
            if taker_buys:
                candle.taker_buy_volume += quantity
                candle.taker_buy_quote_volume += quote
            candle.told_closed = False
            self.changed.add(interval)

    def close_until(self, time: int) -> bool:
        """Close the candles that ended before `time`; whether there were any."""
        closed = len(self.closed)
        for interval, candle in self.newest.items():
            if candle.close_time < time:
                self._close(interval, candle)
        return len(self.closed) > closed

    def _close(self, interval: Interval, candle: LiveCandle) -> None:
        if not candle.told_closed:
            candle.told_closed = True
            self.closed.append((interval, candle))
        self.changed.discard(interval)

    def told(self) -> None:
        self.changed.clear()
        self.closed.clear()
