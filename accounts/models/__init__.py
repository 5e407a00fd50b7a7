"""Users, their keys, and the ledger of what they own."""

from accounts.models.user import User

__all__ = ["User"]
