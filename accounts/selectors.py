"""Who is behind a key or a token. Inactive users have no keys and no tokens.

Keys and tokens are remembered for a second, for orders come in bursts: so long one that was
revoked may still work in a process that has just used it. While the database does not answer,
whoever was known within the last five minutes stays known, and a revocation waits for its return.
"""

import hashlib
import ipaddress
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from accounts.encryption import decrypt
from accounts.models import ApiKey, BearerToken, Tier, User
from exchange_site.database.remembered import (
    TROUBLE,
    DatabaseUnavailable,
    Remembered,
    in_background,
)

LAST_USED_EVERY: Final = timedelta(minutes=5)

logger = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Credential:
    """An API key, ready for use."""

    key: str
    user: User
    secret: bytes
    scopes: frozenset[str]
    tier: str
    networks: tuple[Network, ...]
    account: int
    """The engine's number of it."""
    revocations: int
    """How many keys of the account had been revoked when this one was read, and was not."""

    @property
    def is_maker(self) -> bool:
        return self.tier == Tier.MAKER

    def allows_address(self, address: str) -> bool:
        if not self.networks:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)

    def __repr__(self) -> str:
        return f"<Credential {self.key[:8]}… of {self.user.pk}>"


def get_credential(*, key: str) -> Credential | None:
    """The active key of an active user. Raises DatabaseUnavailable."""
    return _credentials.get(key)


def credential_at_hand(*, key: str) -> Credential | None:
    """What `get_credential` finds without a wait; else None."""
    return _credentials.at_hand(key)


def knows_credential(*, key: str) -> bool:
    """Whether the key worked within the last minutes; the database is not asked."""
    return _credentials.knows(key)


def forget_credential(*, key: str) -> None:
    _credentials.forget(key)


def _load_credential(key: str) -> Credential | None:
    row = (
        ApiKey.objects.select_related("user")
        .filter(key=key, revoked_at=None, user__is_active=True)
        .annotate(revocations=_revoked("user__api_keys"))
        .first()
    )
    if row is None:
        return None
    _note_use(row)
    return Credential(
        key=row.key,
        user=row.user,
        secret=decrypt(row.encrypted_secret).encode(),
        scopes=frozenset(row.scopes),
        tier=row.tier,
        networks=tuple(ipaddress.ip_network(text) for text in row.allowed_networks),
        account=row.user.pk,
        revocations=row.revocations,
    )


_credentials: Final[Remembered[str, Credential | None]] = Remembered(_load_credential)


def revocations_of(*, account: int) -> int | None:
    """How many keys of the account were revoked so far, to within a second; None where its user
    is not active. Raises DatabaseUnavailable."""
    return _revocations.get(account)


def forget_revocations(*, account: int) -> None:
    _revocations.forget(account)


def _load_revocations(account: int) -> int | None:
    users = User.objects.filter(pk=account, is_active=True)
    return users.annotate(revoked=_revoked("api_keys")).values_list("revoked", flat=True).first()


def _revoked(keys: str) -> Count:
    return Count(keys, filter=Q(**{f"{keys}__revoked_at__isnull": False}))


_revocations: Final[Remembered[int, int | None]] = Remembered(_load_revocations)


def _note_use(row: ApiKey) -> None:
    now = timezone.now()
    if row.last_used_at is not None and row.last_used_at > now - LAST_USED_EVERY:
        return
    if connection.in_atomic_block:
        _write_use(row.pk, now)
    else:
        # Nobody who trades waits for this write, or fails with it.
        with suppress(DatabaseUnavailable):
            in_background(lambda: _write_use(row.pk, now))


def _write_use(pk: int, now: datetime) -> None:
    try:
        ApiKey.objects.filter(pk=pk).update(last_used_at=now)
    except TROUBLE as error:
        logger.warning("the use of an API key was not noted: %s", error)


def hash_token(token: str) -> str:
    """No slow hash is needed: a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def get_bearer_token(*, token: str) -> BearerToken | None:
    """The unexpired token of an active user, with its user. Raises DatabaseUnavailable."""
    row = _tokens.get(hash_token(token))
    return row if row is not None and row.expires_at > timezone.now() else None


def knows_bearer_token(*, token: str) -> bool:
    return _tokens.knows(hash_token(token))


def bearer_token_at_hand(*, token: str) -> bool:
    """Whether `get_bearer_token` finds the token without a wait."""
    return _tokens.at_hand(hash_token(token)) is not None


def forget_bearer_token(*, sha256: str) -> None:
    _tokens.forget(sha256)


def _load_token(sha256: str) -> BearerToken | None:
    return (
        BearerToken.objects.select_related("user")
        .filter(sha256=sha256, user__is_active=True)
        .first()
    )


_tokens: Final[Remembered[str, BearerToken | None]] = Remembered(_load_token)
