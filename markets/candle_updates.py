"""Keeps the candles in step with the trades, from a position of their own.

New trades, their candles and the position are one transaction: each trade counts exactly once.
"""

import time
from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from engine.core.types import Side
from engine.intervals import Interval
from engine.projector.positions import (
    JOURNAL,
    advance_position,
    lock_position,
    projected_sequence,
    read_position,
)
from engine.times import to_datetime, to_milliseconds
from markets.candles import Candle, CandleKey, Candles, Print, candles_of, combine
from markets.models import Kline, Trade

CANDLES: Final = "candles"

MAX_BATCH_TRADES: Final = 5_000
"""In one transaction; the rest of the last one's journal entry comes on top."""


def update_candles(*, seconds: float, batch: int = MAX_BATCH_TRADES) -> int:
    """Include all new trades, or as many as `seconds` allow; how many. Raises PositionBusyError."""
    deadline = time.monotonic() + seconds
    included = 0
    while read_position(CANDLES).sequence < projected_sequence(JOURNAL):
        included += _include_batch(batch)
        if time.monotonic() >= deadline:
            break
    return included


def _include_batch(batch: int) -> int:
    with transaction.atomic():
        position = lock_position(CANDLES)
        journal = read_position(JOURNAL)
        if journal.sequence <= position.sequence:
            return 0
        trades = Trade.objects.filter(
            sequence__gt=position.sequence, sequence__lte=journal.sequence
        )
        if position.time is not None:
            # Says no more than the sequence does, but lets TimescaleDB leave old chunks alone.
            trades = trades.filter(time__gte=position.time)
        end, end_time = journal.sequence, journal.time
        # A journal entry is never divided: its trades have one number.
        in_order = trades.order_by("sequence").values_list("sequence", "time")
        if full := list(in_order[batch - 1 : batch]):
            end, end_time = full[0]
            trades = trades.filter(sequence__lte=end)
        prints = _prints(trades)
        _store(candles_of(prints))
        advance_position(position, sequence=end, time=end_time)
        return len(prints)


def _prints(trades: QuerySet[Trade]) -> list[Print]:
    rows = trades.values_list(
        "market_id", "trade_id", "time", "price", "quantity", "quote_quantity", "taker_side"
    )
    return [
        Print(
            market,
            trade_id,
            to_milliseconds(traded_at),
            price,
            quantity,
            quote_quantity,
            taker_side == Side.BUY.value,
        )
        for market, trade_id, traded_at, price, quantity, quote_quantity, taker_side in rows
    ]


def _store(candles: Candles) -> None:
    if not candles:
        return
    Kline.objects.bulk_create(
        [
            Kline(
                market_id=key.market,
                interval=key.interval.value,
                time=to_datetime(key.open_time),
                **candle._asdict(),
            )
            for key, candle in combine(_stored(candles), candles).items()
        ],
        batch_size=2_000,
        update_conflicts=True,
        unique_fields=["market", "interval", "time"],
        update_fields=Candle._fields,
    )


_STORED = f"""
SELECT market_id, interval, time, {", ".join(Candle._fields)}
FROM markets_kline JOIN unnest(%s::text[], %s::text[], %s::timestamptz[])
    AS wanted (market_id, interval, time) USING (market_id, interval, time)
WHERE time BETWEEN %s AND %s
"""  # noqa: S608 - the names of our own columns


def _stored(keys: Iterable[CandleKey]) -> Candles:
    """Those of the candles that the table has already."""
    wanted = list(keys)
    times = [to_datetime(key.open_time) for key in wanted]
    with connection.cursor() as cursor:
        cursor.execute(
            _STORED,
            [
                [key.market for key in wanted],
                [key.interval.value for key in wanted],
                times,
                min(times),
                max(times),
            ],
        )
        return {
            CandleKey(market, Interval(interval), to_milliseconds(opened)): Candle(*candle)
            for market, interval, opened, *candle in cursor.fetchall()
        }
