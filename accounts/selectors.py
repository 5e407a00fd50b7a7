"""Who is behind a key or a token. Inactive users have no keys and no tokens."""

import hashlib
import ipaddress
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from accounts.encryption import decrypt
from accounts.models import ApiKey, BearerToken, Tier, User

CREDENTIAL_LIFETIME_S: Final = 1.0
"""How long a revoked key may still work in a process that has just used it."""

MAX_CREDENTIALS: Final = 10_000
LAST_USED_EVERY: Final = timedelta(minutes=5)

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


_credentials: dict[str, tuple[float, Credential]] = {}


def get_credential(*, key: str) -> Credential | None:
    """The active key of an active user. Remembered for a second: orders come in bursts."""
    now = time.monotonic()
    remembered = _credentials.get(key)
    if remembered is not None and remembered[0] > now:
        return remembered[1]
    credential = _load_credential(key)
    if credential is None:
        _credentials.pop(key, None)
        return None
    if len(_credentials) >= MAX_CREDENTIALS:
        _credentials.clear()
    _credentials[key] = now + CREDENTIAL_LIFETIME_S, credential
    return credential


def forget_credential(*, key: str) -> None:
    _credentials.pop(key, None)


def _load_credential(key: str) -> Credential | None:
    row = (
        ApiKey.objects.select_related("user")
        .filter(key=key, revoked_at=None, user__is_active=True)
        .first()
    )
    if row is None:
        return None
    _touch(row)
    return Credential(
        key=row.key,
        user=row.user,
        secret=decrypt(row.encrypted_secret).encode(),
        scopes=frozenset(row.scopes),
        tier=row.tier,
        networks=tuple(ipaddress.ip_network(text) for text in row.allowed_networks),
    )


def _touch(row: ApiKey) -> None:
    now = timezone.now()
    if row.last_used_at is None or row.last_used_at < now - LAST_USED_EVERY:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)


def hash_token(token: str) -> str:
    """No slow hash is needed: a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def get_bearer_token(*, token: str) -> BearerToken | None:
    """The unexpired token of an active user, with its user."""
    return (
        BearerToken.objects.select_related("user")
        .filter(sha256=hash_token(token), expires_at__gt=timezone.now(), user__is_active=True)
        .first()
    )
