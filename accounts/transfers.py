"""Moving funds from one account to another, by operators.

    requested ──(approvals)──▶ submitted to the engine ──▶ moved, or rejected by it

Between submission and the engine's answer the row stays `requested`: doing it again is safe and is
the way to find out, because the engine remembers the transfer's key for 24 hours.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.amounts import smallest_units, whole_units
from accounts.approvals import FundsRefused, record_approval
from accounts.models import TransferRequest, TransferState, User
from engine.core.commands import Transfer
from engine.submit import CommandRefused, submit

RESUBMIT_WITHIN: Final = timedelta(hours=23)


def transfer_request(
    *,
    user: User,
    to: User,
    asset: str,
    amount: str,
    reason: str,
    idempotency_key: str,
    actor: User,
) -> TransferRequest:
    """Ask for a transfer. The same key again gives the same request.

    Raises FieldInvalid, or FundsRefused where the key stands for another request.
    """
    if user == to:
        raise FundsRefused("an account transfers nothing to itself")
    wanted = whole_units(asset, amount)
    row, created = TransferRequest.objects.get_or_create(
        user=user,
        idempotency_key=idempotency_key,
        defaults={
            "to": to,
            "asset": asset,
            "amount": wanted,
            "reason": reason,
            "requested_by": actor,
        },
    )
    if not created and (row.to_id, row.asset, row.amount) != (to.pk, asset, wanted):
        raise FundsRefused("this key was used for another request before")
    return row


def transfer_approve(*, transfer: TransferRequest, actor: User) -> TransferRequest:
    """Approve; with the last approval that is needed, the funds move.

    Above the limit of its asset (`WITHDRAWAL_SECOND_APPROVAL_ABOVE`) it waits, still `requested`,
    for a second person. Raises FundsRefused, EngineUnavailable or StatusUnknown.
    """
    with transaction.atomic():
        row = TransferRequest.objects.select_for_update(of=("self",)).get(pk=transfer.pk)
        if row.status != TransferState.REQUESTED:
            raise FundsRefused(f"it is {row.status}")
        now = timezone.now()
        if row.submitted_at is None:
            if record_approval(row, actor):
                row.submitted_at = now
        elif row.submitted_at < now - RESUBMIT_WITHIN:
            raise FundsRefused(f"sent long ago: look for {row.key} in the ledger")
        row.save()
    if row.submitted_at is None:
        return row
    command = Transfer(
        account=row.user_id,
        to=row.to_id,
        asset=row.asset,
        amount=smallest_units(row.asset, row.amount),
        key=row.key,
    )
    try:
        answer = submit(command)
    except CommandRefused as refusal:
        return _close(row, TransferState.REJECTED, rejection=f"engine: {refusal.code.value}")
    return _close(row, TransferState.MOVED, sequence=answer.sequence)


def transfer_reject(*, transfer: TransferRequest, actor: User, rejection: str) -> TransferRequest:
    """Raises FundsRefused once the transfer is on its way to the engine."""
    with transaction.atomic():
        row = TransferRequest.objects.select_for_update(of=("self",)).get(pk=transfer.pk)
        if row.status != TransferState.REQUESTED or row.submitted_at is not None:
            raise FundsRefused("it is already decided, or on its way")
    return _close(row, TransferState.REJECTED, rejection=f"{rejection} ({actor.username})")


def _close(
    transfer: TransferRequest,
    status: TransferState,
    *,
    rejection: str = "",
    sequence: int | None = None,
) -> TransferRequest:
    """Write how it ended, once: two callers may have asked the engine at the same time."""
    with transaction.atomic():
        row = TransferRequest.objects.select_for_update(of=("self",)).get(pk=transfer.pk)
        if row.status == TransferState.REQUESTED:
            row.status, row.rejection, row.sequence = status, rejection, sequence
            row.decided_at = timezone.now()
            row.save()
        return row
