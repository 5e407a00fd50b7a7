"""Users, their keys, and the ledger of what they own."""

from accounts.models.ledger import LedgerEntry
from accounts.models.user import User

__all__ = ["LedgerEntry", "User"]
