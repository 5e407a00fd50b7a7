"""The names of the streams, and of the Channels groups that carry them.

Names are Binance's: `btcusdt@depth@100ms`, `btcusdt@kline_1m`, `!miniTicker@arr`. An account's
events have the name `user-<number>` here; on the wire everybody calls their own `user`.
"""

import re
from typing import Final

from engine.intervals import Interval

SPEEDS_MS: Final = (100, 1000)
"""How often the streams that batch are sent."""

TICKERS: Final = "!ticker@arr"
MINI_TICKERS: Final = "!miniTicker@arr"

PARTIAL_LEVELS: Final = (5, 10, 20)

_intervals = "|".join(interval.value for interval in Interval)
_SUFFIX: Final = (
    r"trade|aggTrade|ticker|miniTicker|bookTicker"
    r"|depth(?:@100ms|@1000ms)?|depth(?:5|10|20)(?:@100ms|@1000ms)?"
    rf"|kline_(?:{_intervals})"
)
_MARKET_STREAM: Final = re.compile(rf"[a-z0-9]{{1,20}}@(?:{_SUFFIX})", re.ASCII)


def depth_stream(symbol: str, speed_ms: int) -> str:
    return f"{symbol.lower()}@depth" + _speed(speed_ms)


def partial_stream(symbol: str, levels: int, speed_ms: int) -> str:
    return f"{symbol.lower()}@depth{levels}" + _speed(speed_ms)


def kline_stream(symbol: str, interval: Interval) -> str:
    return f"{symbol.lower()}@kline_{interval.value}"


def market_stream(symbol: str, kind: str) -> str:
    """`kind` is trade, aggTrade, ticker, miniTicker or bookTicker."""
    return f"{symbol.lower()}@{kind}"


def user_stream(account: int) -> str:
    return f"user-{account}"


def _speed(speed_ms: int) -> str:
    return "" if speed_ms == 1000 else f"@{speed_ms}ms"


def public_stream(name: str) -> str | None:
    """The stream that a client means by `name`; None where there is no such stream."""
    plain = name.removesuffix("@1000ms")
    if plain in (TICKERS, MINI_TICKERS) or _MARKET_STREAM.fullmatch(name):
        return plain
    return None


def group_of(stream: str) -> str:
    """The Channels group; those have letters, digits and `-_.` in their names, and no more."""
    return "feed." + stream.replace("!", "all.").replace("@", ".")
