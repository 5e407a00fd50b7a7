"""An account's own events as Binance's user data stream writes them.

`number` is our own addition: the number of the account's newest event in the frame. They count
without a gap, so that a client can tell that it missed nothing.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from engine.core.events import BalanceChanged, Deposited, Event, Fill, OrderState, OrderUpdated
from engine.core.types import LIMIT, MAKER, NEW, OrderStatus
from engine.publisher.frames import encode, wire_amount


class UserEvent(NamedTuple):
    """What one frame will tell: an order, a deposit, or the balances that a command touched."""

    account: int
    first: int
    last: int
    time: int
    events: tuple[OrderUpdated | Deposited | BalanceChanged, ...]


def user_events(events: Iterable[Event], time: int) -> list[UserEvent]:
    """The frames of one command, in order. Balances stand at the end of a command's events."""
    told: list[UserEvent] = []
    balances: dict[int, list[BalanceChanged]] = {}
    for event in events:
        if isinstance(event, OrderUpdated):
            account = event.order.terms.account
            told.append(UserEvent(account, event.number, event.number, time, (event,)))
        elif isinstance(event, Deposited):
            told.append(UserEvent(event.account, event.number, event.number, time, (event,)))
        elif isinstance(event, BalanceChanged):
            balances.setdefault(event.account, []).append(event)
    for account, changed in balances.items():
        first, last = changed[0].number, changed[-1].number
        told.append(UserEvent(account, first, last, time, tuple(changed)))
    return told


class Scales(NamedTuple):
    """Decimal places by asset, and of base and quote by market."""

    asset: Callable[[str], int]
    market: Callable[[str], tuple[int, int]]


_EXECUTION: Final = {
    OrderStatus.NEW: "NEW",
    OrderStatus.CANCELED: "CANCELED",
    OrderStatus.EXPIRED: "EXPIRED",
}
_OPEN: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


def write_user_event(told: UserEvent, now: int, scales: Scales) -> str:
    event = told.events[0]
    if isinstance(event, OrderUpdated):
        return _execution_report(event.number, event.order, event.fill, now, scales)
    if isinstance(event, Deposited):
        return encode(
            {
                "e": "balanceUpdate",
                "E": now,
                "a": event.asset,
                "d": wire_amount(event.amount, scales.asset(event.asset)),
                "T": told.time,
                "number": told.last,
            }
        )
    balances = [changed for changed in told.events if isinstance(changed, BalanceChanged)]
    return encode(
        {
            "e": "outboundAccountPosition",
            "E": now,
            "u": told.time,
            "B": [
                {
                    "a": changed.asset,
                    "f": wire_amount(changed.available, scales.asset(changed.asset)),
                    "l": wire_amount(changed.locked, scales.asset(changed.asset)),
                }
                for changed in balances
            ],
            "number": told.last,
        }
    )


def _execution_report(
    number: int, order: OrderState, fill: Fill | None, now: int, scales: Scales
) -> str:
    terms = order.terms
    base, quote = scales.market(terms.market)
    zero = wire_amount(0, 0)
    kind = terms.type.value.upper()
    return encode(
        {
            "e": "executionReport",
            "E": now,
            "s": terms.market,
            "c": terms.client_order_id or "",
            "S": terms.side.value.upper(),
            "o": "LIMIT_MAKER" if terms.type is LIMIT and terms.post_only else kind,
            "f": terms.time_in_force.value.upper(),
            "q": wire_amount(terms.quantity or 0, base),
            "p": wire_amount(terms.price or 0, quote),
            "P": zero,
            "F": zero,
            "g": -1,
            "C": terms.client_order_id or "" if order.status is OrderStatus.CANCELED else "",
            "x": "TRADE" if fill else _EXECUTION[order.status],
            "X": order.status.value.upper(),
            "r": "NONE",
            "i": order.order_id,
            "l": wire_amount(fill.quantity if fill else 0, base),
            "z": wire_amount(order.executed_quantity, base),
            "L": wire_amount(fill.price if fill else 0, quote),
            "n": wire_amount(fill.fee, scales.asset(fill.fee_asset)) if fill else "0",
            "N": fill.fee_asset if fill else None,
            "T": order.updated_at,
            "t": fill.trade_id if fill else -1,
            "I": number,
            "w": order.status is NEW or (order.status in _OPEN and _is_maker(fill)),
            "m": _is_maker(fill),
            "M": False,
            "O": order.created_at,
            "Z": wire_amount(order.executed_quote_quantity, quote),
            "Y": wire_amount(fill.quote_quantity if fill else 0, quote),
            "Q": wire_amount(terms.quote_quantity or 0, quote),
            "W": order.created_at,
            "V": "NONE",
            "number": number,
        }
    )


def _is_maker(fill: Fill | None) -> bool:
    return fill is not None and fill.liquidity is MAKER
