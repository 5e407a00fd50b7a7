"""Candles from trades. Pure, and the same whatever the batches the trades come in.

Trades make candles of one second; every longer candle is made of shorter ones. Candles of the
same key are combined, the earlier one first.

Sums are exact: Python's decimals carry 28 digits, which hold a thousand million of the largest
trades that the engine admits.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from engine.intervals import Interval

MADE_OF: Final = {
    Interval.M1: Interval.S1,
    Interval.M3: Interval.M1,
    Interval.M5: Interval.M1,
    Interval.M15: Interval.M1,
    Interval.M30: Interval.M1,
    Interval.H1: Interval.M1,
    Interval.H2: Interval.H1,
    Interval.H4: Interval.H1,
    Interval.H6: Interval.H1,
    Interval.H8: Interval.H1,
    Interval.H12: Interval.H1,
    Interval.D1: Interval.H1,
    Interval.D3: Interval.D1,
    Interval.W1: Interval.D1,
    Interval.MONTH: Interval.D1,
}
"""What each interval is made of; in this order the shorter one is always there first."""


class Print(NamedTuple):
    """A trade as the market saw it. `time` in milliseconds; amounts in units of their asset."""

    market: str
    trade_id: int
    time: int
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    taker_buys: bool


class CandleKey(NamedTuple):
    market: str
    interval: Interval
    open_time: int


class Candle(NamedTuple):
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_buy_volume: Decimal
    taker_buy_quote_volume: Decimal


Candles = dict[CandleKey, Candle]


def candles_of(prints: Iterable[Print]) -> Candles:
    """The candles of all intervals that these trades make, in whatever order they come."""
    candles: Candles = {}
    for traded in sorted(prints, key=lambda p: p.trade_id):
        open_time = Interval.S1.open_time(traded.time)
        _include(candles, CandleKey(traded.market, Interval.S1, open_time), _candle_of(traded))
    made: dict[Interval, Candles] = {Interval.S1: candles}
    for interval, shorter in MADE_OF.items():
        made[interval] = _lengthen(made[shorter], interval)
    return {key: candle for some in made.values() for key, candle in some.items()}


def combine(earlier: Mapping[CandleKey, Candle], later: Mapping[CandleKey, Candle]) -> Candles:
    """Both, where all trades of `later` came after those of `earlier`."""
    combined = dict(earlier)
    for key, candle in later.items():
        _include(combined, key, candle)
    return combined


def _lengthen(candles: Candles, interval: Interval) -> Candles:
    longer: Candles = {}
    for key in sorted(candles, key=lambda k: k.open_time):
        open_time = interval.open_time(key.open_time)
        _include(longer, CandleKey(key.market, interval, open_time), candles[key])
    return longer


def _include(candles: Candles, key: CandleKey, later: Candle) -> None:
    earlier = candles.get(key)
    candles[key] = later if earlier is None else _join(earlier, later)


def _join(earlier: Candle, later: Candle) -> Candle:
    return Candle(
        open=earlier.open,
        high=max(earlier.high, later.high),
        low=min(earlier.low, later.low),
        close=later.close,
        volume=earlier.volume + later.volume,
        quote_volume=earlier.quote_volume + later.quote_volume,
        trades=earlier.trades + later.trades,
        taker_buy_volume=earlier.taker_buy_volume + later.taker_buy_volume,
        taker_buy_quote_volume=earlier.taker_buy_quote_volume + later.taker_buy_quote_volume,
    )


def _candle_of(traded: Print) -> Candle:
    price, quantity, quote_quantity = traded.price, traded.quantity, traded.quote_quantity
    return Candle(
        open=price,
        high=price,
        low=price,
        close=price,
        volume=quantity,
        quote_volume=quote_quantity,
        trades=1,
        taker_buy_volume=quantity if traded.taker_buys else Decimal(0),
        taker_buy_quote_volume=quote_quantity if traded.taker_buys else Decimal(0),
    )
