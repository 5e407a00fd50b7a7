"""The candles of a recording's prints are those of the file itself."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from engine.intervals import Interval
from markets.candles import Candle, CandleKey, Candles, Print, candles_of, combine
from markets.venues.binance import TradePrint
from markets.venues.recording import read_recording
from markets.venues.tests.recordings import excerpt, needs_whole, whole

LENGTHS = {Interval.S1: 1_000, Interval.M1: 60_000, Interval.M5: 300_000, Interval.H1: 3_600_000}


def print_of(trade: TradePrint) -> Print:
    price, quantity = Decimal(trade.price), Decimal(trade.quantity)
    return Print(
        market="BTCUSDT",
        trade_id=trade.trade_id,
        time=trade.trade_time,
        price=price,
        quantity=quantity,
        quote_quantity=price * quantity,
        taker_buys=not trade.buyer_is_maker,
    )


def candles_of_prints(lines: Iterable[bytes]) -> Candles:
    """Through frames, as they would come: a few at a time."""
    prints = [
        print_of(frame) for _, frame in read_recording(lines) if isinstance(frame, TradePrint)
    ]
    candles: Candles = {}
    for start in range(0, len(prints), 700):
        candles = combine(candles, candles_of(prints[start : start + 700]))
    return candles


def candles_of_file(lines: Iterable[bytes]) -> Candles:
    """Straight from the JSON."""
    trades = [json.loads(line.split(b" ", 1)[1]) for line in lines if b'@trade"' in line]
    groups: dict[CandleKey, list[Any]] = {}
    for trade in (trade["data"] for trade in trades):
        for interval, length in LENGTHS.items():
            key = CandleKey("BTCUSDT", interval, trade["T"] // length * length)
            groups.setdefault(key, []).append(trade)
    return {key: _candle(group) for key, group in groups.items()}


def _candle(trades: list[Any]) -> Candle:
    prices = [Decimal(t["p"]) for t in trades]
    bought = [t for t in trades if not t["m"]]
    return Candle(
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=sum((Decimal(t["q"]) for t in trades), Decimal(0)),
        quote_volume=sum((Decimal(t["p"]) * Decimal(t["q"]) for t in trades), Decimal(0)),
        trades=len(trades),
        taker_buy_volume=sum((Decimal(t["q"]) for t in bought), Decimal(0)),
        taker_buy_quote_volume=sum((Decimal(t["p"]) * Decimal(t["q"]) for t in bought), Decimal(0)),
    )


def of_lengths(candles: Candles) -> Candles:
    return {key: candle for key, candle in candles.items() if key.interval in LENGTHS}


def test_candles_of_the_excerpt() -> None:
    candles = candles_of_prints(excerpt())
    assert of_lengths(candles) == candles_of_file(excerpt())
    assert sum(c.trades for k, c in candles.items() if k.interval is Interval.M1) == 89


@needs_whole
def test_candles_of_the_whole_recording() -> None:
    candles = candles_of_prints(whole())
    assert of_lengths(candles) == candles_of_file(whole())


@needs_whole
@pytest.mark.parametrize("interval", [Interval.S1, Interval.M1, Interval.M5])
def test_totals_of_the_whole_recording(interval: Interval) -> None:
    """Against what its publisher's frames add up to: figures taken by other means."""
    candles = candles_of_prints(whole())
    keys = sorted((k for k in candles if k.interval is interval), key=lambda k: k.open_time)
    parts = [candles[key] for key in keys]
    assert parts[0].open == Decimal("61837.63")
    assert max(part.high for part in parts) == Decimal("61860.80")
    assert min(part.low for part in parts) == Decimal("61583.22")
    assert parts[-1].close == Decimal("61685.99")
    assert sum(part.volume for part in parts) == Decimal("212.03315")
    assert sum(part.quote_volume for part in parts) == Decimal("13084074.1123886")
    assert sum(part.trades for part in parts) == 9757
