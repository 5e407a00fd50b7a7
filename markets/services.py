"""What changes orders: commands to the engine.

Amounts come in as decimal strings. Each service raises CodedError (FieldInvalid, UnknownMarket,
OutcomeUnknown) and CommandRefused or EngineUnavailable for the engine's answer. What operators do
to markets stands in `administration.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import Final, TypeVar, Unpack

from engine.amounts import format_amount
from engine.client import Answer, EngineUnavailable, StatusUnknown
from engine.core.commands import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrder,
    CancelOrderList,
    Command,
    PlaceOrder,
    PlaceOrderList,
    ReplaceOrder,
)
from engine.core.queries import GetDepth
from engine.core.rejections import Code
from engine.core.replies import (
    CanceledReply,
    DepthReply,
    Done,
    OrderListReply,
    OrderReply,
    Refused,
    ReplaceReply,
    Reply,
)
from engine.core.types import OrderStatus, ReplaceMode
from engine.engine_time import ENGINE_TIME
from engine.submit import CommandRefused, asubmit, asubmit_all, submit
from exchange_site.errors import CodedError
from markets import live
from markets.definitions import MarketDefinition, aget_definition, get_definition
from markets.order_terms import Cancellation, NewOrder, OrderId, optional_units, order_terms, units
from markets.trial import try_order

ORDER_LIFETIME_MS: Final = 5_000
"""An order that the engine sees later than this is refused: nobody waits for it any more."""

Outcome = OrderReply | Exception
"""Of one order among several: the reply, or what the service for a single one would raise."""

LEVELS_TO_SELL: Final = 1_000
"""Of the book, that `quantity_to_sell` walks."""

_Reply = TypeVar("_Reply", bound=Reply)
_Order = TypeVar("_Order", NewOrder, OrderId)


class OutcomeUnknown(CodedError):
    """No answer came in time: the command may or may not take effect."""

    def __init__(self, client_order_id: str | None) -> None:
        super().__init__(
            "STATUS_UNKNOWN", "ask for the order by its id", client_order_id=client_order_id
        )


def order_place(*, account: int, **order: Unpack[NewOrder]) -> OrderReply:
    """Place an order; the reply is the match result.

    With `idempotent`, a `client_order_id` is the idempotency key. An order without one is given
    one, so that it can be asked for when no answer comes.
    """
    command = placement(account, order, get_definition(symbol=order["market"]))
    return _submit(command, OrderReply, command.terms.client_order_id)


async def aorder_place(*, account: int, **order: Unpack[NewOrder]) -> OrderReply:
    """`order_place` in an event loop."""
    command = placement(account, order, await aget_definition(symbol=order["market"]))
    return await _asubmit(command, OrderReply, command.terms.client_order_id)


def quantity_to_sell(*, market: str, quote_quantity: str) -> str:
    """How much to sell at market now so as to receive `quote_quantity`, or up to a step less.

    By the book as it is; it can have changed when the order comes. Raises CommandRefused
    NOTIONAL_TOO_SMALL, or QUANTITY_TOO_SMALL where the amount or the book is too small for a step.
    """
    definition = get_definition(symbol=market)
    rules, unit = definition.rules, 10**definition.base_scale
    wanted = units("quote_quantity", quote_quantity, definition.quote_scale)
    if wanted < rules.min_notional:
        raise CommandRefused(Code.NOTIONAL_TOO_SMALL, "below the market's minimum notional")
    depth = submit(GetDepth(market, LEVELS_TO_SELL)).reply
    assert isinstance(depth, DepthReply), depth
    quantity = 0
    for price, standing in depth.bids:
        taken = min(standing, wanted * unit // price)
        quantity += taken
        wanted -= price * taken // unit
        if taken < standing:
            break
    quantity -= quantity % rules.step
    if not quantity:
        raise CommandRefused(Code.QUANTITY_TOO_SMALL, "the book takes less than a step")
    return format_amount(quantity, definition.base_scale)


def order_test(*, account: int, **order: Unpack[NewOrder]) -> None:
    """Check an order, given as to `order_place`, by its form and its market's filters. Nothing is
    sent to the engine, which alone knows the book and the balances (see `trial.py`); the price band
    is that of the last price in the feed.

    Raises what `order_place` would raise for these reasons.
    """
    definition = get_definition(symbol=order["market"])
    terms = order_terms(account, order, definition)
    refused = try_order(
        definition,
        terms,
        last_price=live.get_last_price(market=terms.market),
        now=ENGINE_TIME.now_ms(),
    )
    if refused is not None:
        raise CommandRefused(refused.code, refused.detail)


async def aorders_place(*, account: int, orders: Sequence[NewOrder | Exception]) -> list[Outcome]:
    """Place up to 100 orders with one push to the engine, each with the arguments of `order_place`.

    The outcome of each, in order. What stands in the list as an exception is that order's outcome.
    """
    return await _asubmit_all(orders, partial(placement, account))


def order_cancel(*, account: int, **order: Unpack[Cancellation]) -> OrderReply:
    """Cancel an open order by either id; the reply is the order as it ended."""
    _check_market(order["market"])
    return _submit(cancellation(account, order), OrderReply, order.get("client_order_id"))


async def aorder_cancel(*, account: int, **order: Unpack[Cancellation]) -> OrderReply:
    """`order_cancel` in an event loop."""
    await aget_definition(symbol=order["market"])
    command = cancellation(account, order)
    return await _asubmit(command, OrderReply, order.get("client_order_id"))


async def aorders_cancel(*, account: int, orders: Sequence[OrderId | Exception]) -> list[Outcome]:
    """`aorders_place` for cancels, each with the arguments of `order_cancel`."""
    return await _asubmit_all(orders, lambda order, _definition: cancellation(account, order))


def orders_cancel_all(*, account: int, market: str | None = None) -> CanceledReply:
    """Cancel the account's open orders, of one market or of all, at once up to 1,000: the reply
    has those, and how many the engine then cancels by itself."""
    _check_market(market)
    return _submit(CancelAll(account=account, market=market), CanceledReply)


def orders_cancel_after(*, account: int, timeout_ms: int, market: str | None = None) -> None:
    """The dead man's switch: cancel all, of one market or of all, unless this is called again
    within `timeout_ms`; 0 stops it."""
    _check_market(market)
    _submit(CancelAllAfter(account=account, timeout_ms=timeout_ms, market=market), Done)


def order_amend(
    *,
    account: int,
    price: str | None = None,
    quantity: str | None = None,
    new_client_order_id: str | None = None,
    lifetime_ms: int = ORDER_LIFETIME_MS,
    **order: Unpack[OrderId],
) -> OrderReply:
    """Change an open order, found by either id; the reply is the order, and its new fills.

    `quantity` is the new total: what has traded already counts. Less of it at the same price keeps
    the place in the queue, anything else loses it.
    """
    definition = get_definition(symbol=order["market"])
    command = AmendOrder(
        account=account,
        market=order["market"],
        expires_at=_expiry(lifetime_ms),
        order_id=order.get("order_id"),
        client_order_id=order.get("client_order_id"),
        price=optional_units("price", price, definition.quote_scale),
        quantity=optional_units("quantity", quantity, definition.base_scale),
        new_client_order_id=new_client_order_id,
    )
    return _submit(command, OrderReply, new_client_order_id or order.get("client_order_id"))


def order_replace(
    *,
    account: int,
    mode: ReplaceMode,
    cancel_order_id: int | None = None,
    cancel_client_order_id: str | None = None,
    cancel_only: OrderStatus | None = None,
    **order: Unpack[NewOrder],
) -> ReplaceReply:
    """Cancel an open order by either id and place another one in its market, given as to
    `order_place`. The reply has a result for each; they are refused without an exception. There is
    no idempotency key."""
    place = placement(account, order, get_definition(symbol=order["market"]))
    command = ReplaceOrder(
        terms=place.terms,
        mode=mode,
        expires_at=place.expires_at,
        order_id=cancel_order_id,
        client_order_id=cancel_client_order_id,
        only=cancel_only,
    )
    return _submit(command, ReplaceReply, place.terms.client_order_id)


def order_list_place(
    *,
    account: int,
    legs: Sequence[NewOrder],
    client_list_id: str | None = None,
    idempotent: bool = True,
    lifetime_ms: int = ORDER_LIFETIME_MS,
) -> OrderListReply:
    """Place two orders of which one cancels the other, each given as to `order_place`.

    Both have one market, side and quantity. With `idempotent`, `client_list_id` is the key; then
    the orders are given no ids, for the same list again must be the same.
    """
    idempotent = idempotent and client_list_id is not None
    command = PlaceOrderList(
        legs=tuple(
            order_terms(account, leg, get_definition(symbol=leg["market"]), give_id=not idempotent)
            for leg in legs
        ),
        expires_at=_expiry(lifetime_ms),
        client_list_id=client_list_id,
        key=f"list:{client_list_id}" if idempotent else None,
    )
    return _submit(command, OrderListReply, command.legs[0].client_order_id)


def order_list_cancel(
    *, account: int, market: str, list_id: int | None = None, client_list_id: str | None = None
) -> OrderListReply:
    """Cancel both orders of a list, found by either id of it; the reply is how they ended."""
    _check_market(market)
    command = CancelOrderList(
        account=account, market=market, list_id=list_id, client_list_id=client_list_id
    )
    return _submit(command, OrderListReply)


def placement(account: int, order: NewOrder, definition: MarketDefinition) -> PlaceOrder:
    """What `order_place` submits, for whoever hands it over by himself and knows the market."""
    client_order_id = order.get("client_order_id")
    idempotent = order.get("idempotent", True)
    return PlaceOrder(
        terms=order_terms(account, order, definition),
        expires_at=_expiry(order.get("lifetime_ms", ORDER_LIFETIME_MS)),
        key=f"order:{client_order_id}" if idempotent and client_order_id else None,
    )


def cancellation(account: int, order: OrderId | Cancellation) -> CancelOrder:
    """What `order_cancel` submits, likewise, in a market that is known."""
    return CancelOrder(account=account, **order)


def _check_market(symbol: str | None) -> None:
    """Raises UnknownMarket."""
    if symbol is not None:
        get_definition(symbol=symbol)


def _expiry(lifetime_ms: int) -> int:
    return ENGINE_TIME.now_ms() + lifetime_ms


def _submit(command: Command, kind: type[_Reply], client_order_id: str | None = None) -> _Reply:
    try:
        reply = submit(command).reply
    except StatusUnknown:
        raise OutcomeUnknown(client_order_id) from None
    assert isinstance(reply, kind), reply
    return reply


async def _asubmit(
    command: Command, kind: type[_Reply], client_order_id: str | None = None
) -> _Reply:
    try:
        reply = (await asubmit(command)).reply
    except StatusUnknown:
        raise OutcomeUnknown(client_order_id) from None
    assert isinstance(reply, kind), reply
    return reply


async def _asubmit_all(
    wanted: Sequence[_Order | Exception],
    command_of: Callable[[_Order, MarketDefinition], PlaceOrder | CancelOrder],
) -> list[Outcome]:
    """Those that are commands, in one push; the others are their own outcome."""
    commands = [await _attempt(command_of, each) for each in wanted]
    sendable = [command for command in commands if not isinstance(command, Exception)]
    answers: Iterator[Answer | Exception]
    try:
        answers = iter(await asubmit_all(sendable))
    except EngineUnavailable as error:
        answers = repeat(error)
    outcomes: list[Outcome] = []
    for command in commands:
        if isinstance(command, Exception):
            outcomes.append(command)
            continue
        answer = next(answers)
        if isinstance(answer, StatusUnknown):
            outcomes.append(OutcomeUnknown(_client_order_id(command)))
        elif isinstance(answer, Exception):
            outcomes.append(answer)
        elif isinstance(answer.reply, Refused):
            outcomes.append(CommandRefused(answer.reply.code, answer.reply.detail))
        else:
            assert isinstance(answer.reply, OrderReply), answer
            outcomes.append(answer.reply)
    return outcomes


async def _attempt(
    command_of: Callable[[_Order, MarketDefinition], PlaceOrder | CancelOrder],
    wanted: _Order | Exception,
) -> PlaceOrder | CancelOrder | Exception:
    if isinstance(wanted, Exception):
        return wanted
    try:
        return command_of(wanted, await aget_definition(symbol=wanted["market"]))
    except CodedError as error:
        return error


def _client_order_id(command: PlaceOrder | CancelOrder) -> str | None:
    if isinstance(command, PlaceOrder):
        return command.terms.client_order_id
    return command.client_order_id
