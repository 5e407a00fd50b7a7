"""Assets and markets, as the engine last defined them."""

from typing import ClassVar, Final

from django.db import models

from engine.constraints import choices_of, one_of
from engine.core.types import MAX_SCALE, Phase
from engine.fields import AmountField

MAX_OPEN_ORDERS: Final = 200
MAX_CONDITIONAL_ORDERS: Final = 10
"""Of one account in a market, unless the market's rules say otherwise."""


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
    max_notional = AmountField(
        null=True, blank=True, help_text="The most that an order may be worth; empty: no limit."
    )
    max_open_orders = models.BigIntegerField(
        default=MAX_OPEN_ORDERS,
        null=True,
        blank=True,
        help_text="Of one account, conditional ones included; empty: no limit.",
    )
    max_conditional_orders = models.BigIntegerField(
        default=MAX_CONDITIONAL_ORDERS,
        null=True,
        blank=True,
        help_text="Of one account; empty: no limit.",
    )
    trigger_band_ppm = models.BigIntegerField(
        default=50_000,
        db_default=50_000,
        help_text="How far above its trigger a conditional buy without a limit may trade.",
    )
    guard_ppm = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="A trade this far from the price of the window before pauses it; empty: never.",
    )
    guard_window_ms = models.BigIntegerField(default=10_000, db_default=10_000)
    guard_pause_ms = models.BigIntegerField(
        default=60_000,
        db_default=60_000,
        help_text="How long orders gather then, before an auction opens it again.",
    )
    sequence = models.BigIntegerField(help_text="The journal entry that changed its rules last.")
    phase = models.CharField(
        choices=choices_of(Phase), default=Phase.OPEN.value, db_default=Phase.OPEN.value
    )
    phase_until = models.DateTimeField(
        null=True, blank=True, help_text="When an auction will open it by itself."
    )
    phase_sequence = models.BigIntegerField(
        default=0, db_default=0, help_text="The journal entry that changed its phase last."
    )

    class Meta:
        ordering: ClassVar = ["symbol"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(tick__gt=0, step__gt=0), name="market_tick_and_step_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(base=models.F("quote")), name="market_of_two_assets"
            ),
            one_of("phase", [phase.value for phase in Phase], "market_phase_known"),
        ]

    def __str__(self) -> str:
        return self.symbol


class MarketPhase(Market):
    """A market under the aspect that changes more often than its rules."""

    class Meta:
        proxy = True


class MarketFees(models.Model):
    """What accounts of one tier pay in a market, where that is not what all pay."""

    market = models.ForeignKey(Market, models.PROTECT, related_name="tier_fees")
    tier = models.BigIntegerField(help_text="Tier 0 pays what the market's rules say.")
    maker_fee_ppm = models.BigIntegerField(help_text="Negative: a rebate.")
    taker_fee_ppm = models.BigIntegerField()
    sequence = models.BigIntegerField(help_text="The journal entry that changed it last.")

    class Meta:
        verbose_name_plural = "market fees"
        ordering: ClassVar = ["market", "tier"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["market", "tier"], name="fees_once_per_tier")
        ]

    def __str__(self) -> str:
        return f"{self.market_id} tier {self.tier}"
