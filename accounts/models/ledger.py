"""The double-entry ledger: where every unit of every asset came from and went to."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from engine.constraints import one_of
from engine.fields import AmountField


class AccountKind(models.TextChoices):
    USER = "user"
    HOUSE = "house", "House (fees)"
    EXTERNAL = "external", "External (the world outside)"


class LedgerKind(models.TextChoices):
    TRADE = "trade"
    FEE = "fee"
    DEPOSIT = "deposit"
    TRANSFER = "transfer"
    WITHDRAWAL = "withdrawal"


class LedgerEntry(models.Model):
    """One side of a movement. Per asset, the rows of one event sum to zero.

    Rows come from the journal alone, and are append-only by a trigger and by privileges. A user's
    balance is the sum of the rows of their account, which is how `accounts` can be audited
    against the engine. What open orders and reserved withdrawals lock stays the account's
    own: locks are no movements, and have no rows.
    """

    pk = models.CompositePrimaryKey("sequence", "position")
    sequence = models.BigIntegerField(help_text="The journal entry.")
    position = models.IntegerField(help_text="Counts the ledger rows of that journal entry.")
    time = models.DateTimeField()
    account_kind = models.CharField(choices=AccountKind.choices)
    account = models.BigIntegerField(null=True, blank=True, help_text="The user's account number.")
    asset = models.CharField()
    amount = AmountField(help_text="Signed: positive is what the account received.")
    kind = models.CharField(choices=LedgerKind.choices)
    reference = models.CharField(
        help_text="Market and trade id, or the key of the deposit, transfer or withdrawal."
    )

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints: ClassVar = [
            one_of("account_kind", AccountKind.values, "ledger_account_kind_known"),
            one_of("kind", LedgerKind.values, "ledger_kind_known"),
            models.CheckConstraint(
                condition=Q(account_kind=AccountKind.USER, account__isnull=False)
                | (~Q(account_kind=AccountKind.USER) & Q(account__isnull=True)),
                name="ledger_users_have_numbers",
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_moves_something"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account", "sequence", "position"],
                name="ledger_account",
                condition=Q(account__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.sequence}/{self.position}: {self.amount} {self.asset}"
