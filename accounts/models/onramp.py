"""Funds that enter the exchange: who asked for them, who let them in, and what became of it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models.user import User
from engine.constraints import one_of
from engine.fields import AmountField


class OnrampStatus(models.TextChoices):
    REQUESTED = "requested"
    CREDITED = "credited"
    REJECTED = "rejected"


class OnrampChannel(models.TextChoices):
    """Which door it came through. Who runs commands on the server needs no second approver."""

    WEB = "web"
    ADMIN = "admin"
    COMMAND = "command"


class OnrampRequest(models.Model):
    """The engine credits it once, by the key `onramp-<id>`; `credited` is written on its reply."""

    user = models.ForeignKey(User, models.PROTECT, related_name="onramp_requests")
    asset = models.CharField(max_length=20)
    amount = AmountField()
    reason = models.CharField(max_length=500)
    status = models.CharField(choices=OnrampStatus.choices, default=OnrampStatus.REQUESTED)
    channel = models.CharField(choices=OnrampChannel.choices)
    idempotency_key = models.CharField(
        max_length=100, help_text="Unique per user: the same request twice is one request."
    )

    requested_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", help_text="None: a command."
    )
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    second_approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    rejected_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    rejection = models.CharField(max_length=500, blank=True, default="")

    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was first sent to the engine."
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    sequence = models.BigIntegerField(
        null=True, blank=True, help_text="The journal entry that credited it, or a later one."
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"], name="onramp_once_per_user_and_key"
            ),
            one_of("status", OnrampStatus.values, "onramp_status_known"),
            one_of("channel", OnrampChannel.values, "onramp_channel_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="onramp_amount_positive"),
            models.CheckConstraint(
                condition=Q(second_approved_by__isnull=True)
                | ~Q(second_approved_by=F("approved_by")),
                name="onramp_approvers_differ",
            ),
            models.CheckConstraint(
                condition=Q(status=OnrampStatus.REQUESTED, decided_at__isnull=True)
                | (~Q(status=OnrampStatus.REQUESTED) & Q(decided_at__isnull=False)),
                name="onramp_decided_when_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"onramp {self.pk}: {self.amount} {self.asset} for {self.user_id}"

    @property
    def deposit_key(self) -> str:
        return f"onramp-{self.pk}"
