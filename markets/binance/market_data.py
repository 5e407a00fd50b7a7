"""What everybody may read: the exchange, its markets, books, trades, candles and tickers."""

import time
from collections.abc import Sequence

from engine.times import to_milliseconds
from markets import live, selectors
from markets.binance import errors, exchange_info, payloads, presenting, queries
from markets.binance.callers import Caller
from markets.binance.fields import TickerType
from markets.definitions import get_definition, list_definitions
from markets.tickers import Ticker


def ping(_: Caller, __: queries.NoParameters) -> payloads.Empty:
    """Nothing, soon."""
    return payloads.Empty()


def server_time(_: Caller, __: queries.NoParameters) -> payloads.ServerTime:
    """The server's clock, by which `timestamp` is judged."""
    return payloads.ServerTime(time.time_ns() // 1_000_000)


def info(_: Caller, wanted: queries.ExchangeInfoQuery) -> payloads.ExchangeInfo:
    """Limits, and the markets with their rules: all, or those that are named."""
    return exchange_info.exchange_info(wanted)


def depth(_: Caller, wanted: queries.DepthQuery) -> payloads.Depth:
    """The order book's best levels. `lastUpdateId` is not older than any depth event sent."""
    return presenting.depth_out(live.get_depth(market=wanted.symbol, limit=wanted.limit))


def trades(_: Caller, wanted: queries.TradesQuery) -> list[payloads.PublicTrade]:
    """The most recent trades, oldest first."""
    get_definition(symbol=wanted.symbol)
    rows = selectors.list_trades(market=wanted.symbol, limit=wanted.limit)
    return [presenting.public_trade(row) for row in rows]


def historical_trades(
    _: Caller, wanted: queries.HistoricalTradesQuery
) -> list[payloads.PublicTrade]:
    """Trades from `fromId` on; without it the most recent ones."""
    get_definition(symbol=wanted.symbol)
    rows = selectors.list_trades(market=wanted.symbol, limit=wanted.limit, from_id=wanted.from_id)
    return [presenting.public_trade(row) for row in rows]


def aggregate_trades(
    _: Caller, wanted: queries.AggregateTradesQuery
) -> list[payloads.AggregateTrade]:
    """Trades from `fromId` or `startTime` on; else the most recent ones, up to `endTime`."""
    get_definition(symbol=wanted.symbol)
    if wanted.from_id is not None and (wanted.start_time, wanted.end_time) != (None, None):
        raise errors.BAD_COMBINATION.error()
    rows = selectors.list_trades(
        market=wanted.symbol,
        limit=wanted.limit,
        from_id=wanted.from_id,
        start_time=wanted.start_time,
        end_time=wanted.end_time,
    )
    return [presenting.aggregate_trade(row) for row in rows]


def klines(_: Caller, wanted: queries.KlinesQuery) -> list[payloads.Candle]:
    """Candles, oldest first: from `startTime` on, else the newest ones, up to `endTime`.

    Stretches without a trade have none.
    """
    get_definition(symbol=wanted.symbol)
    rows = live.list_klines(
        market=wanted.symbol,
        interval=wanted.interval,
        start_time=wanted.start_time,
        end_time=wanted.end_time,
        limit=wanted.limit,
    )
    return [presenting.candle(row) for row in rows]


def average_price(_: Caller, wanted: queries.SymbolQuery) -> payloads.AveragePrice:
    """Of the trades of the last minutes, weighted by their volume."""
    price = live.get_average_price(market=wanted.symbol)
    newest = selectors.list_trades(market=wanted.symbol, limit=1)
    return payloads.AveragePrice(
        mins=live.AVERAGE_MINUTES,
        price=presenting.average(price),
        close_time=to_milliseconds(newest[0].time) if newest else 0,
    )


def day_tickers(
    _: Caller, wanted: queries.DayTickersQuery
) -> (
    payloads.FullTicker
    | list[payloads.FullTicker]
    | payloads.MiniTicker
    | list[payloads.MiniTicker]
):
    """The last 24 hours: of one market an object, of several or all a list."""
    found = _tickers(wanted)
    if wanted.type is TickerType.MINI:
        small = [presenting.mini_ticker(ticker) for ticker in found]
        return small if wanted.symbol is None else small[0]
    best = live.list_best(markets=[ticker.symbol for ticker in found])
    full = [presenting.full_ticker(ticker, best.get(ticker.symbol)) for ticker in found]
    return full if wanted.symbol is None else full[0]


def price_tickers(
    _: Caller, wanted: queries.TickersQuery
) -> payloads.PriceTicker | list[payloads.PriceTicker]:
    """The last price: of one market an object, of several or all a list."""
    prices = [
        payloads.PriceTicker(ticker.symbol, presenting.amount(ticker.last))
        for ticker in _tickers(wanted)
    ]
    return prices if wanted.symbol is None else prices[0]


def book_tickers(
    _: Caller, wanted: queries.TickersQuery
) -> payloads.BookTicker | list[payloads.BookTicker]:
    """The best bid and ask: of one market an object, of several or all a list."""
    symbols = _symbols(wanted)
    if symbols is None:
        symbols = [market.symbol for market in list_definitions()]
    best = live.list_best(markets=symbols)
    tops = [presenting.book_ticker(symbol, best.get(symbol)) for symbol in symbols]
    return tops if wanted.symbol is None else tops[0]


def _symbols(wanted: queries.TickersQuery | queries.DayTickersQuery) -> Sequence[str] | None:
    """Those that are named; None for all. Raises BinanceError -1121 or -1128."""
    if wanted.symbol is not None and wanted.symbols is not None:
        raise errors.BAD_COMBINATION.error()
    symbols = wanted.symbols if wanted.symbol is None else [wanted.symbol]
    for symbol in symbols or ():
        get_definition(symbol=symbol)
    return symbols


def _tickers(wanted: queries.TickersQuery | queries.DayTickersQuery) -> list[Ticker]:
    symbols = _symbols(wanted)
    if symbols is None:
        return live.list_tickers()
    if len(symbols) == 1:
        return [live.get_ticker(symbol=symbols[0])]
    named = set(symbols)
    return [ticker for ticker in live.list_tickers() if ticker.symbol in named]
