"""The last 24 hours of a market, rolling by the minute."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

from engine.times import to_milliseconds

WINDOW: Final = timedelta(hours=24)
_PERCENT_PLACES: Final = Decimal("0.001")


@dataclass(frozen=True)
class Ticker:
    """Prices are None for a market that never traded. Without a trade in the window all prices
    are the last one's. Times in milliseconds."""

    symbol: str
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    last: Decimal | None
    last_quantity: Decimal | None
    volume: Decimal
    quote_volume: Decimal
    trades: int
    open_time: int
    close_time: int

    @property
    def price_change(self) -> Decimal:
        return self.last - self.open if self.last is not None and self.open else Decimal(0)

    @property
    def price_change_percent(self) -> Decimal:
        change = self.price_change / self.open * 100 if self.open else Decimal(0)
        return change.quantize(_PERCENT_PLACES)


# The last trade can be a second ahead of the candles.
_TICKERS: Final = """
SELECT market.symbol, day.open, day.high, day.low, last.price, last.quantity, last.time,
    coalesce(day.volume, 0), coalesce(day.quote_volume, 0), coalesce(day.trades, 0)
FROM markets_market AS market
LEFT JOIN LATERAL (
    SELECT price, quantity, time FROM markets_trade
    WHERE market_id = market.symbol ORDER BY trade_id DESC LIMIT 1
) AS last ON true
LEFT JOIN (
    SELECT market_id, (array_agg(open ORDER BY time))[1] AS open, max(high) AS high,
        min(low) AS low, sum(volume) AS volume, sum(quote_volume) AS quote_volume,
        sum(trades)::bigint AS trades
    FROM markets_kline
    WHERE interval = '1m' AND time >= %(since)s AND time <= %(now)s
        AND (%(symbol)s::text IS NULL OR market_id = %(symbol)s)
    GROUP BY market_id
) AS day ON day.market_id = market.symbol
WHERE %(symbol)s::text IS NULL OR market.symbol = %(symbol)s
ORDER BY market.symbol
"""


def list_tickers(*, symbol: str | None = None, now: datetime | None = None) -> list[Ticker]:
    """Of one market (none where it is unknown), or of all by symbol."""
    now = now or datetime.now(UTC)
    since = now - WINDOW
    with connection.cursor() as cursor:
        cursor.execute(_TICKERS, {"symbol": symbol, "since": since, "now": now})
        rows = cursor.fetchall()
    tickers = []
    for name, opened, high, low, last, quantity, last_time, volume, quote_volume, trades in rows:
        if opened is None:
            opened = high = low = last
        elif last_time >= since:
            high, low = max(high, last), min(low, last)
        tickers.append(
            Ticker(
                symbol=name,
                open=opened,
                high=high,
                low=low,
                last=last,
                last_quantity=quantity,
                volume=volume,
                quote_volume=quote_volume,
                trades=trades,
                open_time=to_milliseconds(since),
                close_time=to_milliseconds(now),
            )
        )
    return tickers
