"""Funds that leave the exchange: who asked, who let them go, and what became of it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models.user import User
from engine.constraints import one_of
from engine.fields import AmountField


class WithdrawalState(models.TextChoices):
    """`reserved` locks the funds; `settled` and `released` are ends, as is `rejected`."""

    REQUESTED = "requested"
    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"
    REJECTED = "rejected"


class WithdrawalRequest(models.Model):
    """The engine reserves it once, by the key `withdrawal-<id>`."""

    user = models.ForeignKey(User, models.PROTECT, related_name="withdrawal_requests")
    asset = models.CharField(max_length=20)
    amount = AmountField()
    destination = models.CharField(max_length=200, help_text="Where the funds go outside.")
    reason = models.CharField(max_length=500)
    status = models.CharField(choices=WithdrawalState.choices, default=WithdrawalState.REQUESTED)
    idempotency_key = models.CharField(
        max_length=100, help_text="Unique per user: the same request twice is one request."
    )
    withdrawal_id = models.BigIntegerField(
        null=True, blank=True, help_text="The engine's number of the reservation."
    )
    rejection = models.CharField(max_length=500, blank=True, default="")
    reference = models.CharField(
        max_length=200, blank=True, default="", help_text="Of the transfer outside, once settled."
    )

    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    second_approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Settled, released.",
    )

    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(
        null=True, blank=True, help_text="When the reservation was first sent to the engine."
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    sequence = models.BigIntegerField(
        null=True, blank=True, help_text="The journal entry that changed it last, or a later one."
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"], name="withdrawal_once_per_user_and_key"
            ),
            one_of("status", WithdrawalState.values, "withdrawal_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="withdrawal_amount_positive"),
            models.CheckConstraint(
                condition=Q(second_approved_by__isnull=True)
                | ~Q(second_approved_by=F("approved_by")),
                name="withdrawal_approvers_differ",
            ),
        ]

    def __str__(self) -> str:
        return f"withdrawal {self.pk}: {self.amount} {self.asset} of {self.user_id}"

    @property
    def key(self) -> str:
        return f"withdrawal-{self.pk}"
