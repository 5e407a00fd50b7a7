"""What requests to move funds have in common: who asked, who approved, and when."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models.user import User
from engine.constraints import one_of
from engine.fields import AmountField


class FundsRequest(models.Model):
    """Written by services alone, so that each change has its actor.

    The names of the subclasses' constraints begin with the subclass: see `approved_rightly`.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="+", help_text="Who pays.")
    asset = models.CharField(max_length=20)
    amount = AmountField()
    reason = models.CharField(max_length=500)
    idempotency_key = models.CharField(
        max_length=100, help_text="Unique per user: the same request twice is one request."
    )
    rejection = models.CharField(max_length=500, blank=True, default="")

    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    second_approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )

    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was first sent to the engine."
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    sequence = models.BigIntegerField(
        null=True, blank=True, help_text="The journal entry that changed it last, or a later one."
    )

    class Meta:
        abstract = True
        ordering: ClassVar = ["-id"]


def approved_rightly(name: str, statuses: list[str]) -> list[models.BaseConstraint]:
    """What the database checks of a request; `name` begins the constraints' names."""
    return [
        models.UniqueConstraint(
            fields=["user", "idempotency_key"], name=f"{name}_once_per_user_and_key"
        ),
        one_of("status", statuses, f"{name}_status_known"),
        models.CheckConstraint(condition=Q(amount__gt=0), name=f"{name}_amount_positive"),
        models.CheckConstraint(
            condition=Q(second_approved_by__isnull=True) | ~Q(second_approved_by=F("approved_by")),
            name=f"{name}_approvers_differ",
        ),
    ]
