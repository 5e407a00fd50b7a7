"""Open orders changed: one replaced by another, one made smaller in its place."""

from engine.core.replies import OrderReply, Refused
from engine.core.types import ReplaceMode
from engine.submit import CommandRefused
from markets import own, services
from markets.binance import errors, payloads, presenting, queries
from markets.binance.callers import Caller
from markets.binance.errors import BinanceError, binance_error, error_body
from markets.binance.orders import (
    check_named,
    check_order,
    not_canceled,
    order_arguments,
    placed_out,
    restricted_to,
)
from markets.definitions import get_definition
from markets.order_terms import new_client_order_id, units

SUCCESS, FAILURE, NOT_ATTEMPTED = "SUCCESS", "FAILURE", "NOT_ATTEMPTED"


def order_replace(caller: Caller, wanted: queries.ReplaceQuery) -> payloads.Replaced:
    """Cancel an open order and place another in its market.

    Where only one of both comes about the answer is 409 with -2021, where none does 400 with -2022;
    its `data` says what became of each. An order that is refused by its form alone cancels nothing.
    """
    if wanted.cancel_order_id is None and wanted.cancel_orig_client_order_id is None:
        raise errors.ONE_OF_TWO.error("cancelOrigClientOrderId", "cancelOrderId")
    form = check_order(wanted)
    order = order_arguments(wanted, form)
    order["idempotent"], order["lifetime_ms"] = False, caller.valid_ms
    reply = services.order_replace(
        account=caller.account,
        mode=ReplaceMode(wanted.cancel_replace_mode.value.lower()),
        cancel_order_id=wanted.cancel_order_id,
        cancel_client_order_id=wanted.cancel_orig_client_order_id,
        cancel_only=restricted_to(wanted.cancel_restrictions),
        **order,
    )
    outcome = payloads.Replaced(
        cancel_result=_result(reply.canceled),
        new_order_result=_result(reply.placed),
        cancel_response=presenting.canceled_order(
            reply.canceled.order, wanted.cancel_new_client_order_id or new_client_order_id()
        )
        if isinstance(reply.canceled, OrderReply)
        else _refusal(reply.canceled, canceling=True),
        new_order_response=placed_out(reply.placed, wanted.new_order_resp_type or form.response)
        if isinstance(reply.placed, OrderReply)
        else reply.placed and _refusal(reply.placed),
    )
    results = {outcome.cancel_result, outcome.new_order_result}
    if results == {SUCCESS}:
        return outcome
    words = errors.REPLACED_PARTLY if SUCCESS in results else errors.NOT_REPLACED
    raise BinanceError(words.code, words.text, status=words.status, data=outcome)


def order_amend(caller: Caller, wanted: queries.AmendQuery) -> payloads.Amended:
    """Make an open order smaller; it keeps its place in the queue.

    `newQty` is the new total: what has traded already counts.
    """
    check_named(wanted)
    scale = get_definition(symbol=wanted.symbol).base_scale
    quantity = units("new_quantity", wanted.new_qty, scale)
    before = own.order_get(
        account=caller.account,
        market=wanted.symbol,
        order_id=wanted.order_id,
        client_order_id=wanted.orig_client_order_id,
    )
    if before.terms.quantity is not None and quantity >= before.terms.quantity:
        same = quantity == before.terms.quantity
        raise (errors.UNCHANGED if same else errors.INCREASED).error()
    try:
        reply = services.order_amend(
            account=caller.account,
            market=wanted.symbol,
            order_id=before.order_id,
            quantity=wanted.new_qty,
            new_client_order_id=wanted.new_client_order_id or new_client_order_id(),
            lifetime_ms=caller.valid_ms,
        )
    except CommandRefused as refused:
        raise errors.rejection(refused, errors.AMEND_REJECTED) from refused
    return presenting.amended_order(reply.order, before.terms.client_order_id or "")


def _result(outcome: OrderReply | Refused | None) -> str:
    match outcome:
        case OrderReply():
            return SUCCESS
        case Refused():
            return FAILURE
        case None:
            return NOT_ATTEMPTED


def _refusal(refused: Refused, *, canceling: bool = False) -> dict[str, object]:
    error = CommandRefused(refused.code, refused.detail)
    return error_body(not_canceled(error) if canceling else binance_error(error))
