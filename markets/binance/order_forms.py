"""Which parameters an order of each type must and may have, and what it is in our words.

Source: "Additional mandatory parameters based on order type", Binance's public documentation.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from engine.core.order_checks import MAX_TRAILING_DELTA
from engine.core.types import OrderType
from markets.binance import errors, queries
from markets.binance.fields import OrderKind, ResponseType
from markets.order_terms import NewOrder

MIN_STRATEGY_TYPE: Final = 1_000_000


@dataclass(frozen=True)
class Form:
    type: OrderType
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    post_only: bool = False
    response: ResponseType = ResponseType.ACK
    """Unless another one is asked for."""


_LIMIT: Final = ("time_in_force", "quantity", "price")
_TRIGGER: Final = ("stop_price", "trailing_delta")

FORMS: Final = {
    OrderKind.LIMIT: Form(OrderType.LIMIT, _LIMIT, ("iceberg_qty",), response=ResponseType.FULL),
    OrderKind.LIMIT_MAKER: Form(
        OrderType.LIMIT, ("quantity", "price"), ("iceberg_qty",), post_only=True
    ),
    OrderKind.MARKET: Form(
        OrderType.MARKET, (), ("quantity", "quote_order_qty"), response=ResponseType.FULL
    ),
    OrderKind.STOP_LOSS: Form(OrderType.STOP_LOSS, ("quantity",), _TRIGGER),
    OrderKind.STOP_LOSS_LIMIT: Form(OrderType.STOP_LOSS_LIMIT, _LIMIT, (*_TRIGGER, "iceberg_qty")),
    OrderKind.TAKE_PROFIT: Form(OrderType.TAKE_PROFIT, ("quantity",), _TRIGGER),
    OrderKind.TAKE_PROFIT_LIMIT: Form(
        OrderType.TAKE_PROFIT_LIMIT, _LIMIT, (*_TRIGGER, "iceberg_qty")
    ),
}

_NAMES: Final = {
    "time_in_force": "timeInForce",
    "quantity": "quantity",
    "quote_order_qty": "quoteOrderQty",
    "price": "price",
    "stop_price": "stopPrice",
    "trailing_delta": "trailingDelta",
    "iceberg_qty": "icebergQty",
}


def check_form(wanted: queries.NewOrder, *, prefix: str = "") -> Form:
    """`prefix` stands before the parameters' names in an order list. Raises BinanceError -1013,
    -1102, -1106, -1134 or -2010."""
    given = (
        wanted.time_in_force is not None,
        wanted.quantity is not None,
        wanted.quote_order_qty is not None,
        wanted.price is not None,
        wanted.stop_price is not None,
        wanted.trailing_delta is not None,
        wanted.iceberg_qty is not None,
    )
    form = _form_of(wanted.type, given, prefix)
    if wanted.trailing_delta is not None and not 0 < wanted.trailing_delta <= MAX_TRAILING_DELTA:
        raise errors.FILTER_FAILURE.error("TRAILING_DELTA")
    if wanted.strategy_type is not None and wanted.strategy_type < MIN_STRATEGY_TYPE:
        raise errors.BAD_STRATEGY_TYPE.error()
    _check_positive(wanted)
    iceberg, quantity = wanted.iceberg_qty, wanted.quantity
    if iceberg is not None and quantity is not None and Decimal(iceberg) > Decimal(quantity):
        raise errors.ICEBERG_TOO_LARGE.error()
    return form


@lru_cache(maxsize=1_000)
def _form_of(kind: OrderKind, given: tuple[bool, ...], prefix: str) -> Form:
    """Orders are of few forms, so each is checked once. `given` says of `_NAMES`, in their order,
    which there are. Raises BinanceError."""
    form = FORMS[kind]
    attributes = {name for name, is_given in zip(_NAMES, given, strict=True) if is_given}
    for attribute, name in _NAMES.items():
        if attribute in form.optional:
            continue
        required = attribute in form.required
        if (attribute in attributes) is not required:
            words = errors.MANDATORY_PARAMETER if required else errors.NOT_REQUIRED
            raise words.error(_named(name, prefix))
    if form.type is OrderType.MARKET:
        _check_market_quantity(attributes)
    if "stop_price" in form.optional and not attributes.intersection(_TRIGGER):
        names = (_named(name, prefix) for name in ("stopPrice", "trailingDelta"))
        raise errors.ONE_OF_TWO.error(*names)
    return form


def _named(name: str, prefix: str) -> str:
    return f"{prefix}{name[0].upper()}{name[1:]}" if prefix else name


def _check_market_quantity(given: Collection[str]) -> None:
    if "quantity" not in given and "quote_order_qty" not in given:
        raise errors.ONE_OF_TWO.error("quantity", "quoteOrderQty")
    if "quantity" in given and "quote_order_qty" in given:
        raise errors.NOT_REQUIRED.error("quoteOrderQty")


def _check_positive(wanted: queries.NewOrder) -> None:
    for price in (wanted.price, wanted.stop_price):
        if price is not None and _is_zero(price):
            raise errors.INVALID_PRICE.error()
    for amount in (wanted.quantity, wanted.quote_order_qty, wanted.iceberg_qty):
        if amount is not None and _is_zero(amount):
            raise errors.INVALID_QUANTITY.error()


def _is_zero(text: str) -> bool:
    return not text.strip("0.")


def placement(wanted: queries.NewOrder, form: Form) -> NewOrder:
    """The arguments of `services.order_place`."""
    lifetime = wanted.time_in_force
    return {
        "market": wanted.symbol,
        "side": wanted.side.side,
        "type": form.type,
        "time_in_force": None if lifetime is None else lifetime.time_in_force,
        "price": wanted.price,
        "quantity": wanted.quantity,
        "quote_quantity": wanted.quote_order_qty,
        "post_only": form.post_only,
        "client_order_id": wanted.new_client_order_id,
        "stop_price": wanted.stop_price,
        "trailing_delta": wanted.trailing_delta,
        "visible_quantity": wanted.iceberg_qty,
        "self_trade_prevention": wanted.self_trade_prevention_mode.mode,
    }
