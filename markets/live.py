"""What moves all the time, read from where the publisher keeps it: depth, tickers, open candles.

It answers while the engine is down. `last_update_id` of a depth is never older than any depth
event that anybody was sent.
"""

import time
from collections.abc import Collection
from contextlib import suppress
from decimal import Decimal
from typing import Final

from engine.core.replies import DepthReply
from engine.intervals import MINUTE, Interval
from engine.publisher import reader
from engine.publisher.candles import LiveCandle
from engine.publisher.statistics import WINDOW_MS, Statistics
from engine.times import to_datetime
from exchange_site.errors import CodedError
from markets import selectors
from markets.definitions import MarketDefinition, UnknownMarket, get_definition, listed_order
from markets.models import Kline
from markets.tickers import Ticker

AVERAGE_MINUTES: Final = 5
"""Of `get_average_price`."""


class FeedUnavailable(CodedError):
    def __init__(self, detail: str) -> None:
        super().__init__("FEED_UNAVAILABLE", detail)


def get_depth(*, market: str, limit: int) -> DepthReply:
    """Raises UnknownMarket, FeedUnavailable."""
    get_definition(symbol=market)
    try:
        depth = reader.read_depth(market, limit)
    except reader.FeedUnavailable as error:
        raise FeedUnavailable(str(error)) from error
    last = get_last_price(market=market)
    bids, asks = tuple(depth.bids), tuple(depth.asks)
    return DepthReply(market, depth.number, bids, asks, last, depth.phase)


def list_tickers(*, symbol: str | None = None, now: int | None = None) -> list[Ticker]:
    """Of one market, or of all in `listed_order`; `now` in milliseconds. Raises UnknownMarket,
    FeedUnavailable."""
    if symbol is not None:
        get_definition(symbol=symbol)
    try:
        found = reader.read_statistics(symbol)
    except reader.FeedUnavailable as error:
        raise FeedUnavailable(str(error)) from error
    now = now or time.time_ns() // 1_000_000
    markets = []
    for name in found:
        with suppress(UnknownMarket):  # the tables do not know it yet
            markets.append(get_definition(symbol=name))
    markets.sort(key=listed_order)
    return [_ticker(market, found[market.symbol], now) for market in markets]


def get_ticker(*, symbol: str) -> Ticker:
    """Raises UnknownMarket, FeedUnavailable."""
    tickers = list_tickers(symbol=symbol)
    if not tickers:
        raise FeedUnavailable("the market is too new to be told of")
    return tickers[0]


def list_best(*, markets: Collection[str]) -> dict[str, DepthReply]:
    """The best level a side of each market that the feed knows. Raises FeedUnavailable."""
    try:
        found = reader.read_depths(markets, 1)
    except reader.FeedUnavailable as error:
        raise FeedUnavailable(str(error)) from error
    return {
        market: DepthReply(
            market, depth.number, tuple(depth.bids), tuple(depth.asks), None, depth.phase
        )
        for market, depth in found.items()
    }


def get_last_price(*, market: str) -> int | None:
    """In smallest units; None for a market that never traded. Raises FeedUnavailable."""
    try:
        statistics = reader.read_statistics(market)
    except reader.FeedUnavailable as error:
        raise FeedUnavailable(str(error)) from error
    return statistics[market].last or None if market in statistics else None


def get_average_price(*, market: str, now: int | None = None) -> Decimal | None:
    """Of the trades of the last `AVERAGE_MINUTES`, by volume; the last price where there was none.

    None for a market that never traded. Raises UnknownMarket, FeedUnavailable.
    """
    definition = get_definition(symbol=market)
    now = now or time.time_ns() // 1_000_000
    newest = now - now % MINUTE
    try:
        minutes = reader.read_minutes(
            market, [newest - age * MINUTE for age in range(AVERAGE_MINUTES)]
        )
    except reader.FeedUnavailable as error:
        raise FeedUnavailable(str(error)) from error
    volume = sum(minute.volume for minute in minutes)
    if volume:
        quote_volume = sum(minute.quote_volume for minute in minutes)
        return _decimal(quote_volume, definition.quote_scale) / _decimal(
            volume, definition.base_scale
        )
    last = get_last_price(market=market)
    return None if last is None else _decimal(last, definition.quote_scale)


def list_klines(
    *,
    market: str,
    interval: Interval,
    start_time: int | None = None,
    end_time: int | None = None,
    limit: int = 500,
) -> list[Kline]:
    """`selectors.list_klines`, with the newest candle as the publisher knows it."""
    rows = selectors.list_klines(
        market=market, interval=interval, start_time=start_time, end_time=end_time, limit=limit
    )
    try:
        candle = reader.read_candle(market, interval)
    except reader.FeedUnavailable:
        return rows  # of a second ago
    if candle is None or not (start_time or 0) <= candle.open_time <= (
        candle.open_time if end_time is None else end_time
    ):
        return rows
    newest = _kline(get_definition(symbol=market), interval, candle)
    if rows and rows[-1].time >= newest.time:
        if rows[-1].time == newest.time and rows[-1].trades < newest.trades:
            rows[-1] = newest
        return rows
    if start_time is not None and len(rows) == limit:
        return rows  # the first ones were wanted
    return [*rows, newest][-limit:]


def _ticker(market: MarketDefinition, day: Statistics, now: int) -> Ticker:
    base, quote = market.base_scale, market.quote_scale
    traded = day.last > 0
    return Ticker(
        symbol=market.symbol,
        open=_decimal(day.open, quote) if traded else None,
        high=_decimal(day.high, quote) if traded else None,
        low=_decimal(day.low, quote) if traded else None,
        last=_decimal(day.last, quote) if traded else None,
        last_quantity=_decimal(day.last_quantity, base) if traded else None,
        volume=_decimal(day.volume, base),
        quote_volume=_decimal(day.quote_volume, quote),
        trades=day.trades,
        first_id=day.first_id,
        last_id=day.last_id if day.trades else 0,
        previous_close=_decimal(day.price_before or day.open, quote) if traded else None,
        open_time=now - WINDOW_MS,
        close_time=now,
    )


def _kline(market: MarketDefinition, interval: Interval, candle: LiveCandle) -> Kline:
    base, quote = market.base_scale, market.quote_scale
    return Kline(
        market_id=market.symbol,
        interval=interval.value,
        time=to_datetime(candle.open_time),
        open=_decimal(candle.open, quote),
        high=_decimal(candle.high, quote),
        low=_decimal(candle.low, quote),
        close=_decimal(candle.close, quote),
        volume=_decimal(candle.volume, base),
        quote_volume=_decimal(candle.quote_volume, quote),
        trades=candle.trades,
        taker_buy_volume=_decimal(candle.taker_buy_volume, base),
        taker_buy_quote_volume=_decimal(candle.taker_buy_quote_volume, quote),
    )


def _decimal(amount: int, scale: int) -> Decimal:
    return Decimal(amount).scaleb(-scale)
