"""Everything of `accounts` in the admin; Django looks for this module."""

from accounts.admin import funds, onramps, people, trading

__all__ = ["funds", "onramps", "people", "trading"]
