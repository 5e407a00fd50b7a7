"""Assets and markets, as the engine last defined them."""

from typing import ClassVar

from django.db import models

from engine.core.types import MAX_SCALE
from engine.fields import AmountField


class Asset(models.Model):
    symbol = models.CharField(primary_key=True)
    scale = models.SmallIntegerField(help_text="Decimal places of the smallest unit.")

    class Meta:
        ordering: ClassVar = ["symbol"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scale__range=(0, MAX_SCALE)), name="asset_scale_in_range"
            )
        ]

    def __str__(self) -> str:
        return self.symbol


class Market(models.Model):
    """A pair and its rules. `tick` and `min_notional` are amounts of quote, the rest of base."""

    symbol = models.CharField(primary_key=True)
    base = models.ForeignKey(Asset, models.PROTECT, related_name="base_of")
    quote = models.ForeignKey(Asset, models.PROTECT, related_name="quote_of")
    tick = AmountField(help_text="Prices are multiples of this.")
    step = AmountField(help_text="Quantities are multiples of this.")
    min_quantity = AmountField()
    max_quantity = AmountField()
    min_notional = AmountField()
    band_down_ppm = models.BigIntegerField(
        help_text="Lowest limit price, in parts per million of the last price."
    )
    band_up_ppm = models.BigIntegerField()
    maker_fee_ppm = models.BigIntegerField(help_text="Negative: a rebate.")
    taker_fee_ppm = models.BigIntegerField()
    sequence = models.BigIntegerField(help_text="The journal entry that changed it last.")

    class Meta:
        ordering: ClassVar = ["symbol"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(tick__gt=0, step__gt=0), name="market_tick_and_step_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(base=models.F("quote")), name="market_of_two_assets"
            ),
        ]

    def __str__(self) -> str:
        return self.symbol
