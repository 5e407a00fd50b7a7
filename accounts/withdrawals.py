"""Letting funds out. The funds are locked first; then operators let them go, or give them back.

    requested ──▶ reserved ──(approvals)──▶ settling ──▶ settled
        │             └──────────────────▶ releasing ──▶ released
        └──▶ rejected by the engine

What happens outside, and when, is not this module's: settle a withdrawal once the funds have left.
Where no answer came from the engine, the row stays where it is, and doing the same again is safe
and is the way to find out. The engine remembers a reservation's key for 24 hours.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.amounts import smallest_units, whole_units
from accounts.approvals import FundsRefused, record_approval
from accounts.models import User, WithdrawalRequest, WithdrawalState
from engine.core.commands import ReleaseWithdrawal, ReserveWithdrawal, SettleWithdrawal
from engine.core.rejections import Code
from engine.core.replies import WithdrawalReply
from engine.submit import CommandRefused, submit

RESUBMIT_WITHIN: Final = timedelta(hours=23)


def withdrawal_request(
    *,
    user: User,
    asset: str,
    amount: str,
    destination: str,
    reason: str,
    idempotency_key: str,
    actor: User,
) -> WithdrawalRequest:
    """Ask for a withdrawal. The same key again gives the same request.

    `withdrawal_reserve` comes next, once the request is committed: the engine must not lock funds
    for one that could still be rolled back. Raises FieldInvalid, or FundsRefused where the key
    stands for another request.
    """
    wanted = whole_units(asset, amount)
    row, created = WithdrawalRequest.objects.get_or_create(
        user=user,
        idempotency_key=idempotency_key,
        defaults={
            "asset": asset,
            "amount": wanted,
            "destination": destination,
            "reason": reason,
            "requested_by": actor,
        },
    )
    if not created and (row.asset, row.amount, row.destination) != (asset, wanted, destination):
        raise FundsRefused("this key was used for another request before")
    return row


def withdrawal_reserve(*, withdrawal: WithdrawalRequest) -> WithdrawalRequest:
    """Lock the funds, once: the request is `reserved` then, or `rejected` by the engine.

    Not within a transaction: a RuntimeError. Raises FundsRefused, EngineUnavailable or
    StatusUnknown.
    """
    with transaction.atomic(durable=True):
        row = _locked(withdrawal, WithdrawalState.REQUESTED)
        now = timezone.now()
        if row.submitted_at is not None and row.submitted_at < now - RESUBMIT_WITHIN:
            raise FundsRefused(f"sent long ago: look for {row.key} in the journal")
        row.submitted_at = row.submitted_at or now
        row.save()
    command = ReserveWithdrawal(
        account=row.user_id,
        asset=row.asset,
        amount=smallest_units(row.asset, row.amount),
        key=row.key,
    )
    try:
        answer = submit(command)
    except CommandRefused as refusal:
        rejection = f"engine: {refusal.code.value}"
        return _move(row, WithdrawalState.REJECTED, rejection=rejection)
    assert isinstance(answer.reply, WithdrawalReply), answer
    return _move(
        row,
        WithdrawalState.RESERVED,
        sequence=answer.sequence,
        withdrawal_id=answer.reply.withdrawal_id,
    )


def withdrawal_settle(*, withdrawal: WithdrawalRequest, actor: User) -> WithdrawalRequest:
    """Approve; with the last approval that is needed, the funds leave the account.

    Above the limit of its asset (`WITHDRAWAL_SECOND_APPROVAL_ABOVE`) a withdrawal waits, still
    `reserved`, for a second person. Raises FundsRefused, EngineUnavailable or StatusUnknown.
    """
    with transaction.atomic():
        row = _locked(withdrawal, WithdrawalState.RESERVED, WithdrawalState.SETTLING)
        if row.status == WithdrawalState.RESERVED and record_approval(row, actor):
            row.status = WithdrawalState.SETTLING
        row.save()
    if row.status == WithdrawalState.RESERVED:
        return row
    assert row.withdrawal_id is not None
    return _close(
        row,
        SettleWithdrawal(account=row.user_id, withdrawal_id=row.withdrawal_id),
        WithdrawalState.SETTLED,
    )


def withdrawal_release(
    *, withdrawal: WithdrawalRequest, actor: User, rejection: str
) -> WithdrawalRequest:
    """Give the funds back. Raises FundsRefused, EngineUnavailable or StatusUnknown."""
    with transaction.atomic():
        row = _locked(withdrawal, WithdrawalState.RESERVED, WithdrawalState.RELEASING)
        if row.status == WithdrawalState.RESERVED:
            row.status = WithdrawalState.RELEASING
            row.released_by, row.rejection = actor, rejection
            row.save()
    assert row.withdrawal_id is not None
    return _close(
        row,
        ReleaseWithdrawal(account=row.user_id, withdrawal_id=row.withdrawal_id),
        WithdrawalState.RELEASED,
    )


def _locked(withdrawal: WithdrawalRequest, *states: WithdrawalState) -> WithdrawalRequest:
    """The row as it is now, locked. Raises FundsRefused where it is in none of the states."""
    row = WithdrawalRequest.objects.select_for_update(of=("self",)).get(pk=withdrawal.pk)
    if row.status not in states:
        raise FundsRefused(f"it is {row.status}")
    return row


def _close(
    row: WithdrawalRequest,
    command: SettleWithdrawal | ReleaseWithdrawal,
    end: WithdrawalState,
) -> WithdrawalRequest:
    """The status says which of the two commands was sent first, so that the other never is: where
    the engine no longer knows the reservation, that one has been carried out."""
    try:
        sequence = submit(command).sequence
    except CommandRefused as refusal:
        if refusal.code is not Code.UNKNOWN_WITHDRAWAL:
            raise FundsRefused(f"engine: {refusal.code.value}") from None
        sequence = None
    return _move(row, end, sequence=sequence)


def _move(
    withdrawal: WithdrawalRequest, status: WithdrawalState, **changes: object
) -> WithdrawalRequest:
    """Write what the engine said, once: two callers may have asked it at the same time."""
    with transaction.atomic():
        row = WithdrawalRequest.objects.select_for_update(of=("self",)).get(pk=withdrawal.pk)
        if row.status != withdrawal.status:
            return row
        for name, value in changes.items():
            setattr(row, name, value)
        row.status = status
        if status in _ENDS:
            row.decided_at = timezone.now()
        row.save()
        return row


_ENDS: Final = frozenset(
    {WithdrawalState.SETTLED, WithdrawalState.RELEASED, WithdrawalState.REJECTED}
)
