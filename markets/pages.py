"""The trading page: its first view, with real data in it. JavaScript only continues from there."""

from decimal import Decimal
from typing import Any, Final

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from engine.client import EngineUnavailable
from engine.intervals import Interval
from engine.submit import CommandRefused
from markets import live, own, selectors
from markets.api.presenting import (
    balance_out,
    candle_out,
    depth_out,
    order_out,
    ticker_out,
    trade_out,
)
from markets.api.schemas import BalanceOut, DepthOut, OrderOut, TickerOut
from markets.models import Market

NOTHING: Final = "\N{EN DASH}"

BOOK_ROWS: Final = 24
"""A side: the page has this many rows, no more and no fewer."""

TAPE_ROWS: Final = 40
DEPTH_LEVELS: Final = 1_000
CANDLES: Final = 500
INTERVALS: Final = ("1s", "1m", "5m", "15m", "1h", "4h", "1d", "1w")


@require_safe
@never_cache
def trade(request: HttpRequest, symbol: str) -> HttpResponse:
    market = selectors.get_market(symbol=symbol)
    if market is None:
        raise Http404
    markets = selectors.list_markets()
    tickers = {t.symbol: t for t in _tickers()}
    depth = _depth(symbol)
    trades = [trade_out(t) for t in selectors.list_trades(market=symbol, limit=100)]
    trades.reverse()
    orders, balances = _own(request)
    candles = live.list_klines(market=symbol, interval=Interval.M1, limit=CANDLES)
    price, quantity = _places(market.tick), _places(market.step)
    first = {
        "market": _market(market),
        "markets": [_market(m) for m in markets],
        "depth": depth,
        "trades": trades,
        "candles": [candle_out(candle) for candle in candles],
        "interval": Interval.M1.value,
        "signedIn": request.user.is_authenticated,
        "orders": orders,
        "balances": balances,
    }
    context = {
        "market": market,
        "first": msgspec.to_builtins(first),
        "ticker": _ticker(tickers.get(symbol), price),
        "pairs": [_pair(m.symbol, tickers.get(m.symbol)) for m in markets],
        "asks": _rows(depth.asks, price, quantity),
        "bids": _rows(depth.bids, price, quantity),
        "tape": [
            {
                "price": _number(t.price, price),
                "quantity": _number(t.quantity, quantity),
                "side": t.taker_side.value,
            }
            for t in trades[:TAPE_ROWS]
        ],
        "tape_blank": range(TAPE_ROWS - len(trades)),
        "orders": orders,
        "balances": balances,
        "intervals": INTERVALS,
    }
    return render(request, "trade/trade.html", context)


def _tickers() -> list[TickerOut]:
    try:
        return [ticker_out(ticker) for ticker in live.list_tickers()]
    except live.FeedUnavailable:
        return []


def _depth(symbol: str) -> DepthOut:
    """Empty while there is none: the page then says that it is stale."""
    try:
        return depth_out(live.get_depth(market=symbol, limit=DEPTH_LEVELS))
    except live.FeedUnavailable:
        return DepthOut(symbol, 0, [], [])


def _own(request: HttpRequest) -> tuple[list[OrderOut], list[BalanceOut]]:
    account = request.user.pk
    if account is None:
        return [], []
    try:
        orders = own.orders_open(account=account)
        balances = own.balances(account=account)
    except (EngineUnavailable, CommandRefused):
        rows = selectors.list_open_orders(account=account)
        orders, balances = tuple(own.order_state(row) for row in rows), ()
    return [order_out(order) for order in orders], [balance_out(b) for b in balances]


def _market(market: Market) -> dict[str, Any]:
    """What the page must know of a market's rules."""
    return {
        "symbol": market.symbol,
        "base": market.base_id,
        "quote": market.quote_id,
        "tick": f"{market.tick.normalize():f}",
        "step": f"{market.step.normalize():f}",
        "price_places": _places(market.tick),
        "quantity_places": _places(market.step),
        "taker_fee_ppm": market.taker_fee_ppm,
    }


def _ticker(ticker: TickerOut | None, places: int) -> dict[str, str]:
    if ticker is None or ticker.last is None:
        names = ("last", "change", "high", "low", "volume", "quote_volume")
        return dict.fromkeys(names, NOTHING) | {"percent": "", "direction": ""}
    return {
        "last": _number(ticker.last, places),
        "change": _number(ticker.price_change, places),
        "percent": _percent(ticker),
        "direction": _direction(ticker),
        "high": _number(ticker.high, places),
        "low": _number(ticker.low, places),
        "volume": _number(ticker.volume, 2),
        "quote_volume": _number(ticker.quote_volume, 2),
    }


def _pair(symbol: str, ticker: TickerOut | None) -> dict[str, str]:
    pair = {"symbol": symbol, "last": NOTHING, "percent": "", "direction": ""}
    if ticker is None or ticker.last is None:
        return pair
    return pair | {
        "last": f"{Decimal(ticker.last).normalize():,f}",
        "percent": _percent(ticker),
        "direction": _direction(ticker),
    }


def _percent(ticker: TickerOut) -> str:
    return f"{Decimal(ticker.price_change_percent):+.2f}%"


def _direction(ticker: TickerOut) -> str:
    change = Decimal(ticker.price_change)
    return "up" if change > 0 else "down" if change < 0 else ""


def _rows(levels: list[tuple[str, str]], price: int, quantity: int) -> list[dict[str, str]]:
    """`BOOK_ROWS` rows, best first, blank where the book holds less."""
    total = Decimal(0)
    rows = []
    for level_price, level_quantity in levels[:BOOK_ROWS]:
        total += Decimal(level_quantity)
        rows.append(
            {
                "price": _number(level_price, price),
                "quantity": _number(level_quantity, quantity),
                "total": _number(str(total), quantity),
            }
        )
    return rows + [{"price": "", "quantity": "", "total": ""}] * (BOOK_ROWS - len(rows))


def _places(unit: Decimal) -> int:
    exponent = unit.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def _number(text: str | None, places: int) -> str:
    return NOTHING if text is None else f"{Decimal(text):,.{places}f}"
