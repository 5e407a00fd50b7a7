"""Users, their keys, and the ledger of what they own."""

from accounts.models.api_key import ApiKey, Scope, Tier
from accounts.models.bearer_token import BearerToken
from accounts.models.ledger import AccountKind, LedgerEntry, LedgerKind
from accounts.models.onramp import OnrampChannel, OnrampRequest, OnrampStatus
from accounts.models.user import User

__all__ = [
    "AccountKind",
    "ApiKey",
    "BearerToken",
    "LedgerEntry",
    "LedgerKind",
    "OnrampChannel",
    "OnrampRequest",
    "OnrampStatus",
    "Scope",
    "Tier",
    "User",
]
