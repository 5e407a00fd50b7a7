"""Candles from trades: the arithmetic and the borders, without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.intervals import DAY, Interval
from markets.candles import MADE_OF, Candle, CandleKey, Candles, Print, candles_of, combine
from markets.tests.prints import prints


def naive_candles(trades: Sequence[Print]) -> Candles:
    """Each candle on its own, straight from all of its trades."""
    groups: dict[CandleKey, list[Print]] = {}
    for trade in sorted(trades, key=lambda t: t.trade_id):
        for interval in Interval:
            key = CandleKey(trade.market, interval, interval.open_time(trade.time))
            groups.setdefault(key, []).append(trade)
    with localcontext(prec=100):
        return {
            key: Candle(
                open=group[0].price,
                high=max(t.price for t in group),
                low=min(t.price for t in group),
                close=group[-1].price,
                volume=sum((t.quantity for t in group), Decimal(0)),
                quote_volume=sum((t.quote_quantity for t in group), Decimal(0)),
                trades=len(group),
                taker_buy_volume=sum((t.quantity for t in group if t.taker_buys), Decimal(0)),
                taker_buy_quote_volume=sum(
                    (t.quote_quantity for t in group if t.taker_buys), Decimal(0)
                ),
            )
            for key, group in groups.items()
        }


@given(prints(), st.data())
def test_any_split_gives_the_candles_of_the_whole(trades: list[Print], data: st.DataObject) -> None:
    candles: Candles = {}
    start = 0
    while start < len(trades):
        end = data.draw(st.integers(start + 1, len(trades)))
        batch = data.draw(st.permutations(trades[start:end]))
        candles = combine(candles, candles_of(batch))
        start = end
    assert candles == naive_candles(trades)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("interval", "time", "opens", "closes"),
    [
        ("1s", "2026-02-28T23:59:59.999", "2026-02-28T23:59:59", "2026-02-28T23:59:59.999"),
        ("1m", "2026-02-28T23:59:59", "2026-02-28T23:59", "2026-02-28T23:59:59.999"),
        ("3m", "2026-02-28T23:58:00", "2026-02-28T23:57", "2026-02-28T23:59:59.999"),
        ("4h", "2026-02-28T23:58:00", "2026-02-28T20:00", "2026-02-28T23:59:59.999"),
        ("8h", "2026-02-28T15:59:00", "2026-02-28T08:00", "2026-02-28T15:59:59.999"),
        ("1d", "2026-02-28T00:00:00", "2026-02-28T00:00", "2026-02-28T23:59:59.999"),
        # A Monday opens a week, and a Sunday closes one.
        ("1w", "2026-11-23T00:00:00", "2026-11-23T00:00", "2026-11-29T23:59:59.999"),
        ("1w", "2026-11-22T23:59:59", "2026-11-16T00:00", "2026-11-22T23:59:59.999"),
        ("1M", "2024-02-29T12:00:00", "2024-02-01T00:00", "2024-02-29T23:59:59.999"),
        ("1M", "2026-12-31T23:59:59", "2026-12-01T00:00", "2026-12-31T23:59:59.999"),
    ],
)
def test_borders(interval: str, time: str, opens: str, closes: str) -> None:
    kind = Interval(interval)
    assert kind.open_time(at(time)) == at(opens)
    assert kind.close_time(at(opens)) == at(closes)


@given(st.integers(0, 4_102_444_800_000), st.sampled_from(Interval))
def test_candles_tile_time(time: int, interval: Interval) -> None:
    opens = interval.open_time(time)
    closes = interval.close_time(opens)
    assert opens <= time <= closes
    assert interval.open_time(closes) == opens
    assert interval.open_time(closes + 1) == closes + 1


def test_three_days_are_counted_from_the_epoch() -> None:
    assert Interval.D3.open_time(at("2026-11-21T10:00")) % (3 * DAY) == 0


@given(st.integers(0, 4_102_444_800_000))
def test_longer_candles_hold_whole_shorter_ones(time: int) -> None:
    for longer, shorter in MADE_OF.items():
        opens = longer.open_time(time)
        assert shorter.open_time(opens) == opens
        assert longer.open_time(shorter.open_time(time)) == opens
