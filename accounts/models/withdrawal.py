"""Funds that leave the exchange: who asked, who let them go, and what became of it."""

from typing import ClassVar

from django.db import models

from accounts.models.funds_request import FundsRequest, approved_rightly
from accounts.models.user import User


class WithdrawalState(models.TextChoices):
    REQUESTED = "requested"
    RESERVED = "reserved", "Reserved (locked, waits for operators)"
    SETTLING = "settling", "Settling (without the engine's answer yet)"
    RELEASING = "releasing", "Releasing (without the engine's answer yet)"
    SETTLED = "settled", "Settled (the funds have left)"
    RELEASED = "released", "Released (the funds stay)"
    REJECTED = "rejected"


class WithdrawalRequest(FundsRequest):
    """The engine reserves it once, by the key `withdrawal-<id>`."""

    destination = models.CharField(max_length=200, help_text="Where the funds go outside.")
    status = models.CharField(choices=WithdrawalState.choices, default=WithdrawalState.REQUESTED)
    withdrawal_id = models.BigIntegerField(
        null=True, blank=True, help_text="The engine's number of the reservation."
    )
    released_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(FundsRequest.Meta):
        constraints: ClassVar = approved_rightly("withdrawal", WithdrawalState.values)

    def __str__(self) -> str:
        return f"withdrawal {self.pk}: {self.amount} {self.asset} of {self.user_id}"

    @property
    def key(self) -> str:
        return f"withdrawal-{self.pk}"
