"""Trades, with both sides' orders and fees."""

from typing import ClassVar

from django.db import models
from timescale.db.models.fields import TimescaleDateTimeField

from engine.constraints import choices_of, one_of
from engine.core.types import Side
from engine.fields import AmountField
from markets.models.definitions import Market


class Trade(models.Model):
    """Two orders met. A hypertable where TimescaleDB is; `time` is that of the journal entry.
    Append-only by a trigger.

    Nothing may refer to a row here by a foreign key (TimescaleDB forbids it), and accounts and
    orders are numbers for the reason that `Order` gives.
    """

    pk = models.CompositePrimaryKey("market_id", "trade_id", "time")
    market = models.ForeignKey(Market, models.PROTECT, db_constraint=False, db_index=False)
    trade_id = models.BigIntegerField(help_text="Counts per market from 1, without a gap.")
    time = TimescaleDateTimeField(interval="1 day")
    sequence = models.BigIntegerField(help_text="The journal entry that holds it.")
    price = AmountField()
    quantity = AmountField()
    quote_quantity = AmountField()
    taker_side = models.CharField(choices=choices_of(Side))
    buyer = models.BigIntegerField(help_text="Account.")
    seller = models.BigIntegerField(help_text="Account.")
    buy_order_id = models.BigIntegerField()
    sell_order_id = models.BigIntegerField()
    buyer_fee = AmountField(help_text="In the base asset.")
    seller_fee = AmountField(help_text="In the quote asset.")

    class Meta:
        constraints: ClassVar = [
            one_of("taker_side", [s.value for s in Side], "trade_taker_side_known"),
            models.CheckConstraint(
                condition=models.Q(price__gt=0, quantity__gt=0, quote_quantity__gt=0),
                name="trade_amounts_positive",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["sequence"], name="trade_sequence"),
            models.Index(fields=["buyer", "market", "trade_id"], name="trade_buyer"),
            models.Index(fields=["seller", "market", "trade_id"], name="trade_seller"),
            models.Index(fields=["buyer", "sequence"], name="trade_buyer_all_markets"),
            models.Index(fields=["seller", "sequence"], name="trade_seller_all_markets"),
            models.Index(fields=["buy_order_id"], name="trade_buy_order"),
            models.Index(fields=["sell_order_id"], name="trade_sell_order"),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} trade {self.trade_id}"
