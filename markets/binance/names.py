"""Between our words and Binance's."""

from typing import Final

from engine.core.commands import OrderTerms
from engine.core.events import OrderState
from engine.core.types import EXPIRED, GTC, IOC, LIMIT, OrderType, Phase
from engine.publisher.frames import wire_name
from markets.binance.fields import OrderKind, SymbolStatus

NO_LIST: Final = -1
"""`orderListId` of an order that belongs to no list."""

NEVER: Final = -1
"""`workingTime` of an order that waits for its trigger."""

CONDITIONAL: Final = frozenset(
    {
        OrderType.STOP_LOSS,
        OrderType.STOP_LOSS_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_LIMIT,
    }
)
_ALWAYS_IOC: Final = frozenset({OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT})

_STATUSES: Final = {
    Phase.OPEN: SymbolStatus.TRADING,
    Phase.PRE_OPEN: SymbolStatus.BREAK,
    Phase.POST_ONLY: SymbolStatus.BREAK,
    Phase.CANCEL_ONLY: SymbolStatus.HALT,
    Phase.HALTED: SymbolStatus.HALT,
    Phase.CLOSED: SymbolStatus.HALT,
}
"""In a break orders may stand and none trades; in a halt there are no new ones."""


def symbol_status(phase: Phase) -> SymbolStatus:
    return _STATUSES[phase]


def order_status(order: OrderState) -> str:
    """Of what self-trade prevention took to the end Binance says so."""
    taken = order.executed_quantity + order.prevented_quantity
    if order.status is EXPIRED and order.prevented_quantity and taken == order.terms.quantity:
        return "EXPIRED_IN_MATCH"
    return wire_name(order.status)


def order_type(terms: OrderTerms) -> str:
    if terms.post_only and terms.type is LIMIT:
        return OrderKind.LIMIT_MAKER.value
    return wire_name(terms.type)


def time_in_force(terms: OrderTerms) -> str:
    """Of an order without a limit Binance says GTC, though what it cannot trade at once expires."""
    if terms.time_in_force is IOC and terms.type in _ALWAYS_IOC:
        return wire_name(GTC)
    return wire_name(terms.time_in_force)
