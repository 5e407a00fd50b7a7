"""Funds that move from one account to another, by an operator's hand."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models.funds_request import FundsRequest, approved_rightly
from accounts.models.user import User


class TransferState(models.TextChoices):
    REQUESTED = "requested"
    MOVED = "moved"
    REJECTED = "rejected"


class TransferRequest(FundsRequest):
    """The engine moves it once, by the key `transfer-<id>`."""

    to = models.ForeignKey(User, models.PROTECT, related_name="+", help_text="Who receives.")
    status = models.CharField(choices=TransferState.choices, default=TransferState.REQUESTED)

    class Meta(FundsRequest.Meta):
        constraints: ClassVar = [
            *approved_rightly("transfer", TransferState.values),
            models.CheckConstraint(condition=~Q(user=F("to")), name="transfer_of_two_accounts"),
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk}: {self.amount} {self.asset} of {self.user_id} to {self.to_id}"

    @property
    def key(self) -> str:
        return f"transfer-{self.pk}"
