"""Orders, each as its last event left it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from engine.constraints import choices_of, one_of
from engine.core.types import OrderStatus, OrderType, Side, TimeInForce
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
    price = AmountField(null=True, blank=True, help_text="None for a market order.")
    quantity = AmountField(null=True, blank=True)
    quote_quantity = AmountField(
        null=True, blank=True, help_text="Instead of a quantity: how much of quote to spend."
    )
    post_only = models.BooleanField(default=False)
    good_till = models.DateTimeField(null=True, blank=True)
    status = models.CharField(choices=choices_of(OrderStatus))
    executed_quantity = AmountField()
    executed_quote_quantity = AmountField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    sequence = models.BigIntegerField(help_text="The journal entry that changed it last.")

    class Meta:
        constraints: ClassVar = [
            one_of("side", [s.value for s in Side], "order_side_known"),
            one_of("type", [t.value for t in OrderType], "order_type_known"),
            one_of("time_in_force", [t.value for t in TimeInForce], "order_time_in_force_known"),
            one_of("status", [s.value for s in OrderStatus], "order_status_known"),
            models.CheckConstraint(
                condition=Q(executed_quantity__gte=0, executed_quote_quantity__gte=0),
                name="order_executed_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity__isnull=False) | Q(quote_quantity__isnull=False),
                name="order_has_a_quantity",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "market", "order_id"], name="order_history"),
            models.Index(fields=["account", "order_id"], name="order_history_all_markets"),
            models.Index(
                fields=["account", "order_id"],
                name="order_open",
                condition=Q(status__in=OPEN_STATUSES),
            ),
            models.Index(
                fields=["account", "market", "client_order_id"],
                name="order_client_id",
                condition=Q(client_order_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} order {self.order_id}"
