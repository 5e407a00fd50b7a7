"""Letting funds in. Every way in, a command's included, goes through here.

    requested ──(approvals)──▶ submitted to the engine ──▶ credited, or rejected by it
        └──▶ rejected

Between submission and the engine's reply the row stays `requested`: crediting again is then safe
and is the way to find out, because the engine knows the deposit by its key. It remembers keys for
24 hours, so an older submission without an answer is settled by hand from the ledger.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.amounts import smallest_units, whole_units
from accounts.models import OnrampChannel, OnrampRequest, OnrampStatus, User
from engine.core.commands import Deposit
from engine.submit import CommandRefused, submit

RESUBMIT_WITHIN: Final = timedelta(hours=23)


class OnrampRefused(Exception):
    """The request is not in a state, or the actor not in a position, for this."""


def onramp_request(
    *,
    user: User,
    asset: str,
    amount: str,
    reason: str,
    idempotency_key: str,
    channel: OnrampChannel,
    actor: User | None,
) -> OnrampRequest:
    """Ask for funds. The same key again gives the same request.

    `actor` is who asks; None only for commands. Raises FieldInvalid, or OnrampRefused where the
    key stands for another request.
    """
    if actor is None and channel != OnrampChannel.COMMAND:
        raise OnrampRefused("somebody has to ask")
    wanted = whole_units(asset, amount)
    row, created = OnrampRequest.objects.get_or_create(
        user=user,
        idempotency_key=idempotency_key,
        defaults={
            "asset": asset,
            "amount": wanted,
            "reason": reason,
            "channel": channel,
            "requested_by": actor,
        },
    )
    if not created and (row.asset, row.amount) != (asset, wanted):
        raise OnrampRefused("this key was used for another request before")
    return row


def onramp_credit(*, onramp: OnrampRequest, actor: User | None) -> OnrampRequest:
    """Approve, and credit where no further approval is needed.

    Above the limit of its asset (`ONRAMP_SECOND_APPROVAL_ABOVE`) a request waits, still
    `requested`, for the approval of a second person. Not within a transaction, which could still
    take back what the engine was asked for: a RuntimeError. Safe to call again after StatusUnknown
    or EngineUnavailable, which pass through. Raises OnrampRefused.
    """
    row, ready = _approve(onramp, actor)
    if not ready:
        return row
    command = Deposit(
        account=row.user_id,
        asset=row.asset,
        amount=smallest_units(row.asset, row.amount),
        key=row.deposit_key,
    )
    try:
        answer = submit(command)
    except CommandRefused as refusal:
        return _decide(row, status=OnrampStatus.REJECTED, rejection=f"engine: {refusal.code.value}")
    return _decide(row, status=OnrampStatus.CREDITED, sequence=answer.sequence)


def onramp_reject(*, onramp: OnrampRequest, actor: User, rejection: str) -> OnrampRequest:
    """Raises OnrampRefused once the request is on its way to the engine."""
    with transaction.atomic():
        row = OnrampRequest.objects.select_for_update().get(pk=onramp.pk)
        if row.status != OnrampStatus.REQUESTED or row.submitted_at is not None:
            raise OnrampRefused("it is already decided, or on its way")
        row.rejected_by = actor
        return _close(row, status=OnrampStatus.REJECTED, rejection=rejection)


def onramp_needs_second_approval(*, onramp: OnrampRequest) -> bool:
    limits: dict[str, str] = settings.ONRAMP_SECOND_APPROVAL_ABOVE
    limit = limits.get(onramp.asset)
    return (
        limit is not None
        and onramp.channel != OnrampChannel.COMMAND
        and onramp.amount > Decimal(limit)
    )


def _approve(onramp: OnrampRequest, actor: User | None) -> tuple[OnrampRequest, bool]:
    """Record the approval; whether the deposit may go to the engine now."""
    with transaction.atomic(durable=True):
        row = OnrampRequest.objects.select_for_update(of=("self",)).get(pk=onramp.pk)
        if row.status != OnrampStatus.REQUESTED:
            raise OnrampRefused(f"it is already {row.status}")
        if actor is None and row.channel != OnrampChannel.COMMAND:
            raise OnrampRefused("somebody has to approve")
        now = timezone.now()
        if row.submitted_at is not None:
            if row.submitted_at < now - RESUBMIT_WITHIN:
                raise OnrampRefused(f"sent long ago: look for {row.deposit_key} in the ledger")
            return row, True
        if row.approved_by is None:
            row.approved_by = actor
        elif onramp_needs_second_approval(onramp=row):
            if row.approved_by == actor:
                raise OnrampRefused("it needs the approval of a second person")
            row.second_approved_by = actor
        ready = not onramp_needs_second_approval(onramp=row) or row.second_approved_by is not None
        if ready:
            row.submitted_at = now
        row.save()
        return row, ready


def _decide(
    onramp: OnrampRequest, *, status: OnrampStatus, rejection: str = "", sequence: int | None = None
) -> OnrampRequest:
    """Write what the engine said, once: two callers may have asked it at the same time."""
    with transaction.atomic():
        row = OnrampRequest.objects.select_for_update().get(pk=onramp.pk)
        if row.status != OnrampStatus.REQUESTED:
            return row
        row.sequence = sequence
        return _close(row, status=status, rejection=rejection)


def _close(row: OnrampRequest, *, status: OnrampStatus, rejection: str) -> OnrampRequest:
    row.status = status
    row.rejection = rejection
    row.decided_at = timezone.now()
    row.save()
    return row
