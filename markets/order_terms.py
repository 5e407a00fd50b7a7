"""What a caller asks for, as the engine understands it: decimal strings become integers.

Which fields belong together is checked here as well as in the engine: here the field can be named.
"""

import random
from collections.abc import Collection
from functools import lru_cache
from typing import Final, Required, TypedDict

from engine.amounts import AmountError, parse_amount
from engine.core.commands import OrderTerms
from engine.core.types import (
    GTC,
    IOC,
    MARKET,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from exchange_site.errors import FieldInvalid
from markets.definitions import MarketDefinition


class NewOrder(TypedDict, total=False):
    """The arguments of `services.order_place`, but for the account. Amounts are decimal strings.

    Without a `time_in_force`, an order with a limit is gtc and any other ioc.
    """

    market: Required[str]
    side: Required[Side]
    type: Required[OrderType]
    time_in_force: TimeInForce | None
    price: str | None
    """The limit."""
    protection_price: str | None
    """Of a market order: beyond it nothing trades."""
    quantity: str | None
    quote_quantity: str | None
    """Instead of `quantity` for a market buy: how much of the quote asset to spend."""
    post_only: bool
    client_order_id: str | None
    good_till: int | None
    """When a gtd order expires, in milliseconds since the epoch."""
    stop_price: str | None
    trailing_delta: int | None
    """In basis points."""
    visible_quantity: str | None
    self_trade_prevention: SelfTradePrevention
    idempotent: bool
    """With it, which is the default, a `client_order_id` is the idempotency key."""
    lifetime_ms: int
    """The engine refuses the order if it sees it later than that."""


class OrderId(TypedDict, total=False):
    """One order of an account, by either id; by both, it must match both."""

    market: Required[str]
    order_id: int | None
    client_order_id: str | None


class Cancellation(OrderId, total=False):
    """Which order to cancel, and `only` in which state."""

    only: OrderStatus | None


_NO_PREVENTION: Final = SelfTradePrevention.NONE
_LIMITED: Final = frozenset(
    {OrderType.LIMIT, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT}
)


def order_terms(
    account: int, order: NewOrder, definition: MarketDefinition, *, give_id: bool = True
) -> OrderTerms:
    """`definition` is that of the order's market. With `give_id`, an order without a client order
    id is given one, so that it can be asked for when no answer comes. Raises FieldInvalid."""
    kind = order["type"]
    time_in_force = order.get("time_in_force") or (GTC if kind in _LIMITED else IOC)
    given = frozenset([name for name, value in order.items() if value is not None])
    _check_form(kind, order["side"], time_in_force, given)
    base, quote = definition.base_scale, definition.quote_scale
    is_market = kind is MARKET
    price = order.get("protection_price") if is_market else order.get("price")
    return OrderTerms(
        account=account,
        market=order["market"],
        side=order["side"],
        type=kind,
        time_in_force=time_in_force,
        price=optional_units("protection_price" if is_market else "price", price, quote),
        quantity=optional_units("quantity", order.get("quantity"), base),
        quote_quantity=optional_units("quote_quantity", order.get("quote_quantity"), quote),
        post_only=order.get("post_only", False),
        client_order_id=order.get("client_order_id")
        or (new_client_order_id() if give_id else None),
        good_till=order.get("good_till"),
        stop_price=optional_units("stop_price", order.get("stop_price"), quote),
        trailing_delta=order.get("trailing_delta"),
        visible_quantity=optional_units("visible_quantity", order.get("visible_quantity"), base),
        self_trade_prevention=order.get("self_trade_prevention") or _NO_PREVENTION,
    )


def new_client_order_id() -> str:
    """For an order whose caller gave none. Random enough never to meet another, and no secret."""
    return f"x-{random.getrandbits(96):024x}"


@lru_cache(maxsize=1_000)
def _check_form(
    kind: OrderType, side: Side, time_in_force: TimeInForce, given: frozenset[str]
) -> None:
    """Orders are of few forms, so each is checked once. Raises FieldInvalid."""
    match kind:
        case OrderType.LIMIT:
            _require(given, "price", "a limit order needs one")
            _require(given, "quantity", "a limit order needs one")
            _forbid(given, _OF_CONDITIONAL, "only a conditional order has one")
        case OrderType.MARKET:
            _forbid(given, ("price",), "a market order has a protection_price")
            _forbid(given, _OF_CONDITIONAL, "only a conditional order has one")
            _forbid(given, ("visible_quantity",), "only an order that can stand has one")
            _check_market_quantity(side, given)
        case _:
            _check_conditional(kind, given)
    if kind is not OrderType.MARKET:
        _forbid(given, ("protection_price",), "only a market order has one")
        _forbid(given, ("quote_quantity",), "only a market buy may have one")
    if time_in_force is TimeInForce.GTD:
        _require(given, "good_till", "a gtd order needs one")
    else:
        _forbid(given, ("good_till",), "only a gtd order may have one")


_OF_CONDITIONAL: Final = ("stop_price", "trailing_delta")


def _check_market_quantity(side: Side, given: Collection[str]) -> None:
    if side is Side.SELL:
        _forbid(given, ("quote_quantity",), "only a market buy may have one")
    if "quantity" in given:
        _forbid(given, ("quote_quantity",), "either this or quantity")
    elif "quote_quantity" not in given:
        _require(given, "quantity", "a market order needs a quantity or a quote_quantity")


def _check_conditional(kind: OrderType, given: Collection[str]) -> None:
    _require(given, "quantity", "a conditional order needs one")
    if "trailing_delta" not in given:
        _require(given, "stop_price", "a conditional order needs one, or a trailing_delta")
    if kind in _LIMITED:
        _require(given, "price", "a conditional limit order needs one")
    else:
        _forbid(given, ("price",), "a conditional order without a limit has none")


def _require(given: Collection[str], field: str, reason: str) -> None:
    if field not in given:
        raise FieldInvalid(field, "MISSING_FIELD", reason)


def _forbid(given: Collection[str], fields: Collection[str], reason: str) -> None:
    for field in fields:
        if field in given:
            raise FieldInvalid(field, "INVALID_FIELD", reason)


def optional_units(field: str, text: str | None, scale: int) -> int | None:
    return None if text is None else units(field, text, scale)


def units(field: str, text: str, scale: int) -> int:
    """A decimal string in smallest units. Raises FieldInvalid."""
    try:
        return parse_amount(text, scale)
    except AmountError as error:
        raise FieldInvalid(field, error.code, str(error)) from None
