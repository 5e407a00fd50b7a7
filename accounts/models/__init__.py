"""Users, their keys, and the ledger of what they own."""

from accounts.models.account import NotionalLimit, TradingAccount
from accounts.models.api_key import ApiKey, Scope, Tier
from accounts.models.bearer_token import BearerToken
from accounts.models.ledger import AccountKind, LedgerEntry, LedgerKind
from accounts.models.onramp import OnrampChannel, OnrampRequest, OnrampStatus
from accounts.models.transfer import TransferRequest, TransferState
from accounts.models.user import User
from accounts.models.withdrawal import WithdrawalRequest, WithdrawalState

__all__ = [
    "AccountKind",
    "ApiKey",
    "BearerToken",
    "LedgerEntry",
    "LedgerKind",
    "NotionalLimit",
    "OnrampChannel",
    "OnrampRequest",
    "OnrampStatus",
    "Scope",
    "Tier",
    "TradingAccount",
    "TransferRequest",
    "TransferState",
    "User",
    "WithdrawalRequest",
    "WithdrawalState",
]
