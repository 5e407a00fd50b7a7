"""Funding by commands on the server: the same audited way as every other onramp."""

import secrets

from accounts.models import OnrampChannel, OnrampRequest, OnrampStatus, User
from accounts.onramp import OnrampRefused, onramp_credit, onramp_request


def fund(
    *, user: User, asset: str, amount: str, reason: str, idempotency_key: str | None = None
) -> OnrampRequest:
    """Request and credit. With a key, at most once for ever.

    Raises FieldInvalid, OnrampRefused, EngineUnavailable or StatusUnknown.
    """
    row = onramp_request(
        user=user,
        asset=asset,
        amount=amount,
        reason=reason,
        idempotency_key=idempotency_key or f"command-{secrets.token_hex(12)}",
        channel=OnrampChannel.COMMAND,
        actor=None,
    )
    if row.status == OnrampStatus.REQUESTED:
        row = onramp_credit(onramp=row, actor=None)
    if row.status == OnrampStatus.REJECTED:
        raise OnrampRefused(row.rejection)
    return row
