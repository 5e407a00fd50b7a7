"""Order lists, of which an account has none yet."""

from markets.binance import payloads, queries
from markets.binance.callers import Caller


def open_order_lists(_: Caller, __: queries.NoParameters) -> list[payloads.OrderList]:
    """The caller's order lists that are still executing."""
    return []


def all_order_lists(_: Caller, __: queries.OrderListsQuery) -> list[payloads.OrderList]:
    """The caller's order lists, executing and done."""
    return []
