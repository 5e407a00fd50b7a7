"""One approver, or two above an asset's limit."""

from decimal import Decimal

from django.conf import settings

from accounts.models import User
from accounts.models.funds_request import FundsRequest


class FundsRefused(Exception):
    """The request is not in a state, or the actor not in a position, for this."""


def needs_second_approval(row: FundsRequest) -> bool:
    """Above `WITHDRAWAL_SECOND_APPROVAL_ABOVE`, which is for transfers too."""
    limits: dict[str, str] = settings.WITHDRAWAL_SECOND_APPROVAL_ABOVE
    limit = limits.get(row.asset)
    return limit is not None and row.amount > Decimal(limit)


def record_approval(row: FundsRequest, actor: User) -> bool:
    """Note who approves, on a row that is locked and then saved; whether that was the last one
    needed. Raises FundsRefused."""
    if row.approved_by is None:
        row.approved_by = actor
    elif needs_second_approval(row) and row.second_approved_by is None:
        if row.approved_by == actor:
            raise FundsRefused("it needs the approval of a second person")
        row.second_approved_by = actor
    return not needs_second_approval(row) or row.second_approved_by is not None
