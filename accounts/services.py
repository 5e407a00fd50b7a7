"""Users, API keys and bearer tokens: what changes them."""

import secrets
import string
from collections.abc import Iterable
from datetime import timedelta
from typing import Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.encryption import encrypt
from accounts.models import ApiKey, BearerToken, Scope, Tier, User
from accounts.selectors import (
    forget_bearer_token,
    forget_credential,
    forget_revocations,
    hash_token,
)

TOKEN_LIFETIME: Final = timedelta(days=30)
MAX_TOKENS: Final = 20
"""Per user; the oldest goes."""

_KEY_LETTERS: Final = string.ascii_letters + string.digits
_KEY_LENGTH: Final = 64


class CreatedKey(NamedTuple):
    """The only time that the secret is seen."""

    api_key: ApiKey
    secret: str


class IssuedToken(NamedTuple):
    """The only time that the token is seen."""

    bearer_token: BearerToken
    token: str


def user_create(*, username: str, password: str | None = None) -> User:
    """A user without a password can only be reached through API keys."""
    user = User(username=username)
    user.set_password(password)
    user.full_clean()
    user.save()
    return user


def api_key_create(
    *,
    user: User,
    scopes: Iterable[str] = (Scope.READ, Scope.TRADE),
    tier: str = Tier.DEFAULT,
    allowed_networks: Iterable[str] = (),
    label: str = "",
) -> CreatedKey:
    """Raises ValidationError."""
    secret = _random_text()
    api_key = ApiKey(
        user=user,
        key=_random_text(),
        encrypted_secret=encrypt(secret),
        label=label,
        scopes=sorted({str(scope) for scope in scopes}),
        allowed_networks=list(allowed_networks),
        tier=tier,
    )
    api_key.full_clean()
    api_key.save()
    return CreatedKey(api_key, secret)


def api_key_revoke(*, api_key: ApiKey) -> None:
    """For good. Other processes follow within a second. The account's listen key, which whoever
    had this one may know, is worth nothing from then on: see `markets/binance/listen_keys.py`."""
    ApiKey.objects.filter(pk=api_key.pk, revoked_at=None).update(revoked_at=timezone.now())
    forget_credential(key=api_key.key)
    forget_revocations(account=api_key.user_id)


def bearer_token_issue(*, user: User, lifetime: timedelta = TOKEN_LIFETIME) -> IssuedToken:
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    with transaction.atomic():
        owned = BearerToken.objects.filter(user=user)
        owned.filter(expires_at__lte=now).delete()
        surplus = owned.order_by("-created_at").values_list("pk", flat=True)[MAX_TOKENS - 1 :]
        owned.filter(pk__in=list(surplus)).delete()
        row = BearerToken.objects.create(
            user=user, sha256=hash_token(token), expires_at=now + lifetime
        )
    return IssuedToken(row, token)


def bearer_token_revoke(*, bearer_token: BearerToken) -> None:
    """Other processes follow within a second."""
    BearerToken.objects.filter(pk=bearer_token.pk).delete()
    forget_bearer_token(sha256=bearer_token.sha256)


def _random_text() -> str:
    return "".join(secrets.choice(_KEY_LETTERS) for _ in range(_KEY_LENGTH))
