"""What the engine knows of an account beside its funds, as the operator decided it last.

Rows come from the journal alone. An account without one has the defaults. `account` is no foreign
key: the journal is what happened, and its projection must not fail because a user is gone.
"""

from typing import ClassVar

from django.db import models

from engine.fields import AmountField


class TradingAccount(models.Model):
    account = models.BigIntegerField(primary_key=True, help_text="The user's account number.")
    tier = models.BigIntegerField(default=0, help_text="Says which fees of a market it pays.")
    trade_group = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Accounts of one group count as one owner for self-trade prevention.",
    )
    frozen = models.BooleanField(
        default=False, help_text="It can cancel and receive, and nothing else."
    )
    unlimited_orders = models.BooleanField(
        default=False, help_text="The markets' limits on open orders do not apply."
    )
    sequence = models.BigIntegerField(help_text="The journal entry that changed it last.")

    class Meta:
        ordering: ClassVar = ["account"]

    def __str__(self) -> str:
        return f"account {self.account}"


class NotionalLimit(models.Model):
    """The most that an account's open orders may be worth, in the markets of one quote asset."""

    account = models.BigIntegerField(help_text="The user's account number.")
    asset = models.CharField(max_length=20)
    amount = AmountField(null=True, blank=True, help_text="Empty: no limit.")
    sequence = models.BigIntegerField(help_text="The journal entry that changed it last.")

    class Meta:
        ordering: ClassVar = ["account", "asset"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "asset"], name="notional_limit_once_per_asset"
            )
        ]

    def __str__(self) -> str:
        return f"account {self.account}: {self.asset}"
