"""The wire text of the market streams: Binance's payloads, to the field.

Amounts have exactly eight decimals, whatever the scale of their asset; times are milliseconds.
Source of the shapes: Binance's public spot documentation, "WebSocket Streams".
"""

from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, Final

import msgspec

from engine.core.types import BUY, MAX_SCALE
from engine.intervals import Interval
from engine.publisher.candles import LiveCandle
from engine.publisher.market import MarketFeed, NewTrade
from engine.publisher.statistics import WINDOW_MS, Statistics

_encode: Final = msgspec.json.Encoder().encode
_FACTORS: Final = tuple(10 ** (MAX_SCALE - scale) for scale in range(MAX_SCALE + 1))
_ZERO: Final = "0.00000000"


def encode(payload: Any) -> str:
    return _encode(payload).decode()


def wire_amount(amount: int, scale: int) -> str:
    """`amount` of an asset with `scale` decimal places, with eight."""
    if not amount:  # as half of an order's amounts are
        return _ZERO
    if amount < 0:
        return "-" + wire_amount(-amount, scale)
    digits = str(amount * _FACTORS[scale])
    if len(digits) <= MAX_SCALE:
        digits = digits.zfill(MAX_SCALE + 1)
    return f"{digits[:-MAX_SCALE]}.{digits[-MAX_SCALE:]}"


wire_price: Final = lru_cache(10_000)(wire_amount)
"""The same ones come again and again; quantities do not."""


@cache
def wire_name(word: StrEnum) -> str:
    """Binance shouts the words that we write small."""
    return word.value.upper()


Levels = list[tuple[int, int]]


class Wire:
    """Writes the frames of one market."""

    def __init__(self, market: MarketFeed) -> None:
        self._market = market
        self._base, self._quote = market.base_scale, market.quote_scale

    def _price(self, amount: int) -> str:
        return wire_price(amount, self._quote)

    def _quantity(self, amount: int) -> str:
        return wire_amount(amount, self._base)

    def _levels(self, levels: Levels) -> list[tuple[str, str]]:
        return [(self._price(price), self._quantity(quantity)) for price, quantity in levels]

    def depth_update(self, now: int, first: int, last: int, bids: Levels, asks: Levels) -> str:
        return encode(
            {
                "e": "depthUpdate",
                "E": now,
                "s": self._market.symbol,
                "U": first,
                "u": last,
                "b": self._levels(bids),
                "a": self._levels(asks),
            }
        )

    def partial_depth(self, count: int) -> str:
        market = self._market
        return encode(
            {
                "lastUpdateId": market.number,
                "bids": self._levels(market.bids.top(count)),
                "asks": self._levels(market.asks.top(count)),
            }
        )

    def book_ticker(self) -> str:
        bid, bid_quantity, ask, ask_quantity = self._market.best
        return encode(
            {
                "u": self._market.number,
                "s": self._market.symbol,
                "b": self._price(bid),
                "B": self._quantity(bid_quantity),
                "a": self._price(ask),
                "A": self._quantity(ask_quantity),
            }
        )

    def trade(self, now: int, trade: NewTrade) -> str:
        event = trade.event
        return encode(
            {
                "e": "trade",
                "E": now,
                "s": event.market,
                "t": event.trade_id,
                "p": self._price(event.price),
                "q": self._quantity(event.quantity),
                "T": trade.time,
                "m": event.taker_side is not BUY,
                "M": True,
            }
        )

    def aggregate_trade(self, now: int, trade: NewTrade) -> str:
        """Every trade is an aggregate of itself alone, and has its own id."""
        event = trade.event
        return encode(
            {
                "e": "aggTrade",
                "E": now,
                "s": event.market,
                "a": event.trade_id,
                "p": self._price(event.price),
                "q": self._quantity(event.quantity),
                "f": event.trade_id,
                "l": event.trade_id,
                "T": trade.time,
                "m": event.taker_side is not BUY,
                "M": True,
            }
        )

    def kline(self, now: int, interval: Interval, candle: LiveCandle) -> str:
        return encode(
            {
                "e": "kline",
                "E": now,
                "s": self._market.symbol,
                "k": {
                    "t": candle.open_time,
                    "T": candle.close_time,
                    "s": self._market.symbol,
                    "i": interval.value,
                    "f": candle.first_id,
                    "L": candle.last_id,
                    "o": self._price(candle.open),
                    "c": self._price(candle.close),
                    "h": self._price(candle.high),
                    "l": self._price(candle.low),
                    "v": self._quantity(candle.volume),
                    "n": candle.trades,
                    "x": candle.told_closed,
                    "q": self._price(candle.quote_volume),
                    "V": self._quantity(candle.taker_buy_volume),
                    "Q": self._price(candle.taker_buy_quote_volume),
                    "B": "0",
                },
            }
        )

    def mini_ticker(self, now: int, day: Statistics) -> dict[str, Any]:
        return {
            "e": "24hrMiniTicker",
            "E": now,
            "s": self._market.symbol,
            "c": self._price(day.last),
            "o": self._price(day.open),
            "h": self._price(day.high),
            "l": self._price(day.low),
            "v": self._quantity(day.volume),
            "q": self._price(day.quote_volume),
        }

    def ticker(self, now: int, day: Statistics) -> dict[str, Any]:
        bid, bid_quantity, ask, ask_quantity = self._market.best
        average = day.quote_volume * 10**self._base // day.volume if day.volume else 0
        return {
            "e": "24hrTicker",
            "E": now,
            "s": self._market.symbol,
            "p": self._price(day.last - day.open),
            "P": percent(day.last - day.open, day.open),
            "w": self._price(average),
            "x": self._price(day.price_before or day.open),
            "c": self._price(day.last),
            "Q": self._quantity(day.last_quantity),
            "b": self._price(bid),
            "B": self._quantity(bid_quantity),
            "a": self._price(ask),
            "A": self._quantity(ask_quantity),
            "o": self._price(day.open),
            "h": self._price(day.high),
            "l": self._price(day.low),
            "v": self._quantity(day.volume),
            "q": self._price(day.quote_volume),
            "O": now - WINDOW_MS,
            "C": now,
            "F": day.first_id,
            "L": day.last_id if day.trades else 0,
            "n": day.trades,
        }


def percent(change: int, of: int) -> str:
    """With three decimals, as Binance writes it."""
    value = Decimal(change) / Decimal(of) * 100 if of else Decimal(0)
    return str(value.quantize(Decimal("0.001")))
