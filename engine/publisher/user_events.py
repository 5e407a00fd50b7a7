"""An account's own events as Binance's user data stream writes them.

`number` is our own addition: the number of the account's newest event in the frame. They count
without a gap, so that a client can tell that it missed nothing.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from engine.core.events import (
    BalanceChanged,
    Deposited,
    Event,
    Fill,
    OrderListUpdated,
    OrderState,
    OrderUpdated,
    Transferred,
    WithdrawalUpdated,
)
from engine.core.types import (
    ACCEPTED,
    AMENDED,
    LIMIT,
    MAKER,
    PREVENTED,
    TRADED,
    TRIGGERED,
    Change,
    ListStatus,
    OrderStatus,
    WithdrawalStatus,
)
from engine.publisher.frames import encode, wire_amount, wire_name

ToldAlone = OrderUpdated | OrderListUpdated | Deposited | Transferred | WithdrawalUpdated


class UserEvent(NamedTuple):
    """What one frame will tell: one event, or all balances of the account that a command touched.

    With an order list stand the client order ids of its legs, as far as the command told them.
    """

    account: int
    first: int
    last: int
    time: int
    events: tuple[ToldAlone | BalanceChanged, ...]
    client_order_ids: dict[int, str]


OfAccount: Final = (BalanceChanged, OrderListUpdated, Deposited, Transferred, WithdrawalUpdated)
"""The account's events that name it; an `OrderUpdated` names it in the order's terms."""


def user_events(events: Iterable[Event], time: int) -> list[UserEvent]:
    """The frames of one command, in order. Balances stand at the end of a command's events."""
    told: list[UserEvent] = []
    balances: dict[int, list[BalanceChanged]] = {}
    client_order_ids: dict[int, str] = {}

    def tell(account: int, *alike: ToldAlone | BalanceChanged) -> None:
        # An order list may be told of before its legs: their ids are all there in the end.
        first, last = alike[0].number, alike[-1].number
        told.append(UserEvent(account, first, last, time, alike, client_order_ids))

    for event in events:
        if isinstance(event, OrderUpdated):
            terms = event.order.terms
            if event.order.list_id is not None:
                client_order_ids[event.order.order_id] = terms.client_order_id or ""
            tell(terms.account, event)
        elif isinstance(event, BalanceChanged):
            balances.setdefault(event.account, []).append(event)
        elif isinstance(event, OfAccount):
            tell(event.account, event)
    for account, changed in balances.items():
        tell(account, *changed)
    return told


class Scales(NamedTuple):
    """Decimal places by asset, and of base and quote by market."""

    asset: Callable[[str], int]
    market: Callable[[str], tuple[int, int]]


_EXECUTION: Final = {
    ACCEPTED: "NEW",
    TRIGGERED: "NEW",
    TRADED: "TRADE",
    AMENDED: "REPLACED",
    PREVENTED: "TRADE_PREVENTION",
    Change.CANCELED: "CANCELED",
    Change.EXPIRED: "EXPIRED",
}
_OPEN: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


def write_user_event(told: UserEvent, now: int, scales: Scales) -> str:
    event = told.events[0]
    if isinstance(event, OrderUpdated):
        payload = _execution_report(event, now, scales)
    elif isinstance(event, OrderListUpdated):
        payload = _list_status(event, told.client_order_ids, now)
    elif isinstance(event, BalanceChanged):
        payload = _account_position(told, now, scales)
    else:
        payload = _balance_update(event, told.time, now, scales)
    return encode(payload | {"number": told.last})


def _balance_update(
    event: Deposited | Transferred | WithdrawalUpdated, time: int, now: int, scales: Scales
) -> dict[str, Any]:
    """What came or went. A withdrawal that is reserved or released moves a lock, and no funds."""
    kind, amount = "balanceUpdate", event.amount
    if isinstance(event, WithdrawalUpdated):
        if event.status is not WithdrawalStatus.SETTLED:
            kind = "externalLockUpdate"
        if event.status is not WithdrawalStatus.RESERVED:
            amount = -amount
    return {
        "e": kind,
        "E": now,
        "a": event.asset,
        "d": wire_amount(amount, scales.asset(event.asset)),
        "T": time,
    }


def _account_position(told: UserEvent, now: int, scales: Scales) -> dict[str, Any]:
    balances = [changed for changed in told.events if isinstance(changed, BalanceChanged)]
    return {
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
    }


def _list_status(
    event: OrderListUpdated, client_order_ids: dict[int, str], now: int
) -> dict[str, Any]:
    executing = event.status is ListStatus.EXECUTING
    return {
        "e": "listStatus",
        "E": now,
        "s": event.market,
        "g": event.list_id,
        "c": "OCO",
        "l": "EXEC_STARTED" if executing else "ALL_DONE",
        "L": "EXECUTING" if executing else "ALL_DONE",
        "r": "NONE",
        "C": event.client_list_id or "",
        "T": event.updated_at,
        "O": [
            {"s": event.market, "i": order_id, "c": client_order_ids.get(order_id, "")}
            for order_id in event.order_ids
        ],
    }


def _execution_report(event: OrderUpdated, now: int, scales: Scales) -> dict[str, Any]:
    order, fill, terms = event.order, event.fill, event.order.terms
    base, quote = scales.market(terms.market)
    client_order_id = terms.client_order_id or ""
    return {
        "e": "executionReport",
        "E": now,
        "s": terms.market,
        "c": client_order_id,
        "S": wire_name(terms.side),
        "o": "LIMIT_MAKER" if terms.post_only and terms.type is LIMIT else wire_name(terms.type),
        "f": wire_name(terms.time_in_force),
        "q": wire_amount(terms.quantity or 0, base),
        "p": wire_amount(terms.price or 0, quote),
        "P": wire_amount(terms.stop_price or 0, quote),
        "F": wire_amount(terms.visible_quantity or 0, base),
        "g": -1 if order.list_id is None else order.list_id,
        "C": client_order_id if event.change is Change.CANCELED else "",
        "x": _EXECUTION[event.change],
        "X": _status(event),
        "r": "NONE",
        "i": order.order_id,
        "l": wire_amount(fill.quantity if fill else 0, base),
        "z": wire_amount(order.executed_quantity, base),
        "L": wire_amount(fill.price if fill else 0, quote),
        "n": wire_amount(fill.fee, scales.asset(fill.fee_asset)) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": order.updated_at,
        "t": fill.trade_id if fill else -1,
        "I": event.number,
        "w": order.status in _OPEN and order.working_since is not None,
        "m": _is_maker(fill),
        "M": False,
        "O": order.created_at,
        "Z": wire_amount(order.executed_quote_quantity, quote),
        "Y": wire_amount(fill.quote_quantity if fill else 0, quote),
        "Q": wire_amount(terms.quote_quantity or 0, quote),
        "V": wire_name(terms.self_trade_prevention),
    } | _conditional_fields(order, base, quote)


def _conditional_fields(order: OrderState, base: int, quote: int) -> dict[str, Any]:
    """Fields that stand in a report only where they mean something."""
    fields: dict[str, Any] = {}
    if order.working_since is not None:
        fields["W"] = order.working_since
    if order.terms.trailing_delta is not None:
        fields["d"] = order.terms.trailing_delta
    if order.prevented_quantity:
        scale = base if order.terms.quote_quantity is None else quote
        fields["A"] = wire_amount(order.prevented_quantity, scale)
    return fields


def _status(event: OrderUpdated) -> str:
    """Binance tells apart the orders whose quantity self-trade prevention took."""
    if event.change is PREVENTED and event.order.status is OrderStatus.EXPIRED:
        return "EXPIRED_IN_MATCH"
    return wire_name(event.order.status)


def _is_maker(fill: Fill | None) -> bool:
    return fill is not None and fill.liquidity is MAKER
