"""Orders, each as its last event left it."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from engine.constraints import choices_of, one_of
from engine.core.types import (
    Change,
    ListStatus,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.fields import AmountField
from markets.models.definitions import Market

OPEN_STATUSES = (OrderStatus.NEW.value, OrderStatus.PARTIALLY_FILLED.value)


class Order(models.Model):
    """An accepted order. One that was refused never came to be.

    `account` is the engine's account number, the primary key of a user. It is no foreign key:
    the journal is what happened, and its projection must not fail because a user is gone. Nor does
    the database check `market` on each row: the projector writes definitions first.
    """

    order_id = models.BigIntegerField(primary_key=True)
    account = models.BigIntegerField()
    market = models.ForeignKey(Market, models.PROTECT, db_constraint=False, db_index=False)
    client_order_id = models.CharField(null=True, blank=True)  # noqa: DJ001 - null: it has none
    side = models.CharField(choices=choices_of(Side))
    type = models.CharField(choices=choices_of(OrderType))
    time_in_force = models.CharField(choices=choices_of(TimeInForce))
    price = AmountField(null=True, blank=True, help_text="Of a market order: its protection.")
    quantity = AmountField(null=True, blank=True)
    quote_quantity = AmountField(
        null=True, blank=True, help_text="Instead of a quantity: how much of quote to spend."
    )
    post_only = models.BooleanField(default=False)
    good_till = models.DateTimeField(null=True, blank=True)
    stop_price = AmountField(null=True, blank=True)
    trailing_delta = models.BigIntegerField(null=True, blank=True, help_text="In basis points.")
    visible_quantity = AmountField(null=True, blank=True, help_text="Of an iceberg.")
    self_trade_prevention = models.CharField(
        choices=choices_of(SelfTradePrevention), db_default=SelfTradePrevention.NONE.value
    )
    status = models.CharField(choices=choices_of(OrderStatus))
    executed_quantity = AmountField()
    executed_quote_quantity = AmountField()
    prevented_quantity = AmountField(
        db_default=0, help_text="What self-trade prevention took of it."
    )
    change = models.CharField(  # noqa: DJ001 - null: of a time when this was not kept
        choices=choices_of(Change), null=True, help_text="What happened to it last."
    )
    list_id = models.BigIntegerField(null=True, blank=True, help_text="The order list it is of.")
    working_since = models.DateTimeField(
        null=True, blank=True, help_text="When it entered the book or traded first."
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    sequence = models.BigIntegerField(help_text="The journal entry that changed it last.")

    class Meta:
        constraints: ClassVar = [
            one_of("side", [s.value for s in Side], "order_side_known"),
            one_of("type", [t.value for t in OrderType], "order_type_known"),
            one_of("time_in_force", [t.value for t in TimeInForce], "order_time_in_force_known"),
            one_of("status", [s.value for s in OrderStatus], "order_status_known"),
            one_of(
                "self_trade_prevention",
                [mode.value for mode in SelfTradePrevention],
                "order_self_trade_prevention_known",
            ),
            one_of("change", [change.value for change in Change], "order_change_known"),
            models.CheckConstraint(
                condition=Q(executed_quantity__gte=0, executed_quote_quantity__gte=0),
                name="order_executed_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity__isnull=False) | Q(quote_quantity__isnull=False),
                name="order_has_a_quantity",
            ),
        ]
        # None of what changes on an order's way, so that an update touches no index where the page
        # has room (migration 0004 leaves some).
        indexes: ClassVar = [
            models.Index(fields=["account", "market", "order_id"], name="order_history"),
            models.Index(
                fields=["account", "market", "client_order_id"],
                name="order_client_id",
                condition=Q(client_order_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} order {self.order_id}"


class OrderList(models.Model):
    """Two orders of which one cancels the other, as the list's last event left it."""

    list_id = models.BigIntegerField(primary_key=True)
    account = models.BigIntegerField()
    market = models.ForeignKey(Market, models.PROTECT, db_constraint=False, db_index=False)
    client_list_id = models.CharField(null=True, blank=True)  # noqa: DJ001 - null: it has none
    status = models.CharField(choices=choices_of(ListStatus))
    order_ids = ArrayField(models.BigIntegerField())
    updated_at = models.DateTimeField()
    sequence = models.BigIntegerField(help_text="The journal entry that changed it last.")

    class Meta:
        constraints: ClassVar = [
            one_of("status", [s.value for s in ListStatus], "order_list_status_known")
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "list_id"], name="order_list_history"),
            models.Index(
                fields=["account", "market", "client_list_id"],
                name="order_list_client_id",
                condition=Q(client_list_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} order list {self.list_id}"
