"""Which parameters an order of each type must and may have, and what it is in our words.

Source: "Additional mandatory parameters based on order type", Binance's public documentation.
"""

from typing import Final, NamedTuple

from engine.core.types import OrderType, TimeInForce
from markets.binance import errors, queries
from markets.binance.fields import OrderKind, ResponseType
from markets.order_terms import NewOrder

MIN_STRATEGY_TYPE: Final = 1_000_000


class Form(NamedTuple):
    type: OrderType
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    post_only: bool = False
    response: ResponseType = ResponseType.ACK
    """Unless another one is asked for."""


FORMS: Final = {
    OrderKind.LIMIT: Form(
        OrderType.LIMIT, ("time_in_force", "quantity", "price"), response=ResponseType.FULL
    ),
    OrderKind.LIMIT_MAKER: Form(OrderType.LIMIT, ("quantity", "price"), post_only=True),
    OrderKind.MARKET: Form(
        OrderType.MARKET, (), ("quantity", "quote_order_qty"), response=ResponseType.FULL
    ),
}

_NAMES: Final = {
    "time_in_force": "timeInForce",
    "quantity": "quantity",
    "quote_order_qty": "quoteOrderQty",
    "price": "price",
    "stop_price": "stopPrice",
}
_NOT_SUPPORTED: Final = {
    OrderKind.STOP_LOSS: "Stop loss orders",
    OrderKind.STOP_LOSS_LIMIT: "Stop loss limit orders",
    OrderKind.TAKE_PROFIT: "Take profit orders",
    OrderKind.TAKE_PROFIT_LIMIT: "Take profit limit orders",
}


def check_form(wanted: queries.NewOrder) -> Form:
    """Raises BinanceError -1013, -1102, -1106 or -1134."""
    form = FORMS.get(wanted.type)
    if form is None:
        raise errors.NOT_SUPPORTED.error(_NOT_SUPPORTED[wanted.type])
    if wanted.iceberg_qty is not None:
        raise errors.NOT_SUPPORTED.error("Iceberg orders")
    if wanted.trailing_delta is not None:
        raise errors.NOT_SUPPORTED.error("Trailing stop orders")
    for attribute, name in _NAMES.items():
        given = getattr(wanted, attribute) is not None
        if not given and attribute in form.required:
            raise errors.MANDATORY_PARAMETER.error(name)
        if given and attribute not in form.required + form.optional:
            raise errors.NOT_REQUIRED.error(name)
    if form.type is OrderType.MARKET:
        _check_market_quantity(wanted)
    if wanted.strategy_type is not None and wanted.strategy_type < MIN_STRATEGY_TYPE:
        raise errors.BAD_STRATEGY_TYPE.error()
    _check_positive(wanted)
    return form


def _check_market_quantity(wanted: queries.NewOrder) -> None:
    if wanted.quantity is None and wanted.quote_order_qty is None:
        raise errors.ONE_OF_TWO.error("quantity", "quoteOrderQty")
    if wanted.quantity is not None and wanted.quote_order_qty is not None:
        raise errors.NOT_REQUIRED.error("quoteOrderQty")


def _check_positive(wanted: queries.NewOrder) -> None:
    if wanted.price is not None and _is_zero(wanted.price):
        raise errors.INVALID_PRICE.error()
    for amount in (wanted.quantity, wanted.quote_order_qty):
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
        "time_in_force": None if lifetime is None else TimeInForce(lifetime.value.lower()),
        "price": wanted.price,
        "quantity": wanted.quantity,
        "quote_quantity": wanted.quote_order_qty,
        "post_only": form.post_only,
        "client_order_id": wanted.new_client_order_id,
    }
