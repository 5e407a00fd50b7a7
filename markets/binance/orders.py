"""Orders: placed, tested, cancelled, and asked for."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from engine.core.commands import CancelOrder, PlaceOrder
from engine.core.rejections import Code
from engine.core.replies import OrderReply
from engine.core.types import NEW, PARTIALLY_FILLED, SELL, OrderStatus
from engine.submit import CommandRefused, asubmit
from markets import own, services
from markets.binance import errors, payloads, presenting, queries
from markets.binance.account import check_day
from markets.binance.callers import Caller
from markets.binance.fields import CancelRestriction, ResponseType
from markets.binance.order_forms import Form, check_form, placement
from markets.binance.presenting import rate
from markets.definitions import MarketDefinition, get_definition
from markets.order_terms import Cancellation, NewOrder, new_client_order_id

_RESTRICTED_TO: Final = {
    CancelRestriction.ONLY_NEW: NEW,
    CancelRestriction.ONLY_PARTIALLY_FILLED: PARTIALLY_FILLED,
}


class Prepared(NamedTuple):
    """A command for the engine, and what is said of its reply or of its refusal."""

    command: PlaceOrder | CancelOrder
    present: Callable[[OrderReply], payloads.Placed | payloads.CanceledOrder]
    refusal: Callable[[CommandRefused], Exception]


Prepare = Callable[[Caller, Any, MarketDefinition], Prepared | None]
"""What to send, in a market of that definition; None where that has to be asked for first."""


async def send_prepared(prepared: Prepared) -> payloads.Placed | payloads.CanceledOrder:
    """Raises what `binance_error` translates."""
    try:
        answer = await asubmit(prepared.command)
    except CommandRefused as refused:
        raise prepared.refusal(refused) from refused
    assert isinstance(answer.reply, OrderReply), answer
    return prepared.present(answer.reply)


def prepare_order(
    caller: Caller, wanted: queries.NewOrder, definition: MarketDefinition
) -> Prepared | None:
    """`order_place` for whoever hands the command over by himself; it asks nobody anything.

    None where the book has to be known before the order is.
    """
    form = check_form(wanted)
    if wanted.side.side is SELL and wanted.quote_order_qty is not None:
        return None
    order = placement(wanted, form)
    order["idempotent"], order["lifetime_ms"] = False, caller.valid_ms
    response = wanted.new_order_resp_type or form.response
    return Prepared(
        services.placement(caller.account, order, definition),
        lambda reply: placed_out(reply, response),
        lambda refused: refused,
    )


def prepare_cancel(
    caller: Caller, wanted: queries.CancelQuery, _definition: MarketDefinition
) -> Prepared:
    """`order_cancel` likewise."""
    check_named(wanted)
    command = services.cancellation(caller.account, _cancellation(wanted))
    cancel_id = wanted.new_client_order_id or new_client_order_id()
    return Prepared(
        command, lambda reply: presenting.canceled_order(reply.order, cancel_id), not_canceled
    )


def order_place(caller: Caller, wanted: queries.NewOrder) -> payloads.Placed:
    """Place an order. The answer is the match result, on disk before it is read.

    `newClientOrderId` need only be unique among the caller's open orders. An order that the engine
    sees later than its `recvWindow` allows is refused.
    """
    form = check_order(wanted)
    order = order_arguments(wanted, form)
    order["idempotent"], order["lifetime_ms"] = False, caller.valid_ms
    reply = services.order_place(account=caller.account, **order)
    return placed_out(reply, wanted.new_order_resp_type or form.response)


def order_test(
    caller: Caller, wanted: queries.TestOrder
) -> payloads.Empty | payloads.OrderCommission:
    """Check an order's form and its market's filters, and place nothing."""
    form = check_order(wanted)
    services.order_test(account=caller.account, **order_arguments(wanted, form))
    if not wanted.compute_commission_rates:
        return payloads.Empty()
    rules = get_definition(symbol=wanted.symbol).rules
    rates = {"maker": rate(rules.maker_fee_ppm), "taker": rate(rules.taker_fee_ppm)}
    none = {"maker": presenting.ZERO, "taker": presenting.ZERO}
    return payloads.OrderCommission(rates, none, none, presenting.NO_DISCOUNT)


def order_get(caller: Caller, wanted: queries.OrderQuery) -> payloads.Order:
    """One of the caller's orders, open or closed. Where both ids are given the order is that of
    `orderId`, and must have the other one."""
    check_named(wanted)
    name = wanted.orig_client_order_id
    order = own.order_get(
        account=caller.account,
        market=wanted.symbol,
        order_id=wanted.order_id,
        client_order_id=name if wanted.order_id is None else None,
    )
    if name is not None and name != order.terms.client_order_id:
        raise errors.OTHER_CLIENT_ORDER_ID.error()
    return presenting.order_out(order)


def order_cancel(caller: Caller, wanted: queries.CancelQuery) -> payloads.CanceledOrder:
    """Cancel an open order; the answer is how it ended."""
    check_named(wanted)
    try:
        reply = services.order_cancel(account=caller.account, **_cancellation(wanted))
    except CommandRefused as refused:
        raise not_canceled(refused) from refused
    return presenting.canceled_order(
        reply.order, wanted.new_client_order_id or new_client_order_id()
    )


def orders_cancel_all(caller: Caller, wanted: queries.SymbolQuery) -> list[payloads.CanceledOrder]:
    """Cancel all of the caller's open orders in one market; the answer has the first 1,000."""
    reply = services.orders_cancel_all(account=caller.account, market=wanted.symbol)
    if not reply.orders:
        raise errors.UNKNOWN_ORDER_SENT.error()
    cancel_id = new_client_order_id()
    return [presenting.canceled_order(order, cancel_id) for order in reply.orders]


def open_orders(caller: Caller, wanted: queries.OpenOrdersQuery) -> list[payloads.Order]:
    """The caller's open orders, oldest first, of one market or of all."""
    orders = own.orders_open(account=caller.account, market=wanted.symbol)
    return [presenting.order_out(order) for order in orders]


def all_orders(caller: Caller, wanted: queries.AllOrdersQuery) -> list[payloads.Order]:
    """The caller's orders in one market, open and past, oldest first: from `orderId` or
    `startTime` on, else the most recent ones."""
    check_day(wanted.start_time, wanted.end_time)
    orders = own.orders_past(
        account=caller.account,
        market=wanted.symbol,
        from_id=wanted.order_id,
        start_time=wanted.start_time,
        end_time=wanted.end_time,
        limit=wanted.limit,
    )
    return [presenting.order_out(order) for order in orders]


def not_canceled(refused: CommandRefused) -> errors.BinanceError:
    if refused.code is Code.UNKNOWN_ORDER:
        return errors.UNKNOWN_ORDER_SENT.error()
    return errors.rejection(refused, errors.CANCEL_REJECTED)


def check_order(wanted: queries.NewOrder) -> Form:
    """Raises UnknownMarket and BinanceError."""
    get_definition(symbol=wanted.symbol)
    return check_form(wanted)


def order_arguments(wanted: queries.NewOrder, form: Form) -> NewOrder:
    """The arguments of `services.order_place`. The engine sells by quantity alone."""
    arguments = placement(wanted, form)
    if wanted.side.side is SELL and wanted.quote_order_qty is not None:
        arguments["quantity"] = services.quantity_to_sell(
            market=wanted.symbol, quote_quantity=wanted.quote_order_qty
        )
        arguments["quote_quantity"] = None
    return arguments


def placed_out(reply: OrderReply, response: ResponseType) -> payloads.Placed:
    return presenting.placed(reply.order, reply.fills, response)


def check_named(wanted: queries.OrderQuery) -> None:
    if wanted.order_id is None and wanted.orig_client_order_id is None:
        raise errors.ONE_OF_TWO.error("origClientOrderId", "orderId")


def _cancellation(wanted: queries.CancelQuery) -> Cancellation:
    return {
        "market": wanted.symbol,
        "order_id": wanted.order_id,
        "client_order_id": wanted.orig_client_order_id,
        "only": restricted_to(wanted.cancel_restrictions),
    }


def restricted_to(restriction: CancelRestriction | None) -> OrderStatus | None:
    return None if restriction is None else _RESTRICTED_TO[restriction]
