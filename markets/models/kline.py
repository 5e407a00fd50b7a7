"""Candles, in Binance's sixteen intervals."""

from typing import ClassVar

from django.db import models
from timescale.db.models.fields import TimescaleDateTimeField

from engine.constraints import one_of
from engine.fields import AmountField, VolumeField
from engine.intervals import Interval
from markets.models.definitions import Market


class Kline(models.Model):
    """The trades of one market in one stretch of time. There is none where nothing traded.

    The project aggregates them itself (`markets/candles.py`), so that they are the same on every
    PostgreSQL; a continuous aggregate would need TimescaleDB under its own licence.
    """

    pk = models.CompositePrimaryKey("market_id", "interval", "time")
    market = models.ForeignKey(Market, models.PROTECT, db_constraint=False, db_index=False)
    interval = models.CharField(choices=[(i.value, i.value) for i in Interval])
    time = TimescaleDateTimeField(interval="7 days", help_text="When it opens.")
    open = AmountField()
    high = AmountField()
    low = AmountField()
    close = AmountField()
    volume = VolumeField()
    quote_volume = VolumeField()
    trades = models.BigIntegerField()
    taker_buy_volume = VolumeField()
    taker_buy_quote_volume = VolumeField()

    class Meta:
        constraints: ClassVar = [
            one_of("interval", [i.value for i in Interval], "kline_interval_known"),
            models.CheckConstraint(
                condition=models.Q(
                    low__lte=models.F("open"),
                    high__gte=models.F("open"),
                    trades__gt=0,
                )
                & models.Q(low__lte=models.F("close"), high__gte=models.F("close")),
                name="kline_prices_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} {self.interval} {self.time:%Y-%m-%d %H:%M:%S}"
