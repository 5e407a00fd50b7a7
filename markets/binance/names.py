"""Between our words and Binance's."""

from typing import Final

from engine.core.commands import OrderTerms
from engine.core.types import OrderType, TimeInForce
from markets.binance.fields import OrderKind

NO_LIST: Final = -1
"""`orderListId` of an order that belongs to no list."""

ORDER_KINDS: Final = (OrderKind.LIMIT, OrderKind.LIMIT_MAKER, OrderKind.MARKET)
"""What can be placed."""

PREVENTION_MODES: Final = ("NONE",)


def order_kind(terms: OrderTerms) -> OrderKind:
    if terms.type is OrderType.LIMIT and terms.post_only:
        return OrderKind.LIMIT_MAKER
    return OrderKind(terms.type.value.upper())


def time_in_force(terms: OrderTerms) -> str:
    """Of a market order Binance says GTC, though what it cannot trade at once expires."""
    if terms.type is OrderType.MARKET and terms.time_in_force is TimeInForce.IOC:
        return TimeInForce.GTC.value.upper()
    return terms.time_in_force.value.upper()
