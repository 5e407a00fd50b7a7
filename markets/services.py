"""What changes orders and markets: commands to the engine.

Amounts come in as decimal strings. Each service raises CodedError (FieldInvalid, UnknownMarket,
OutcomeUnknown) and CommandRefused or EngineUnavailable for the engine's answer.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.amounts import AmountError, format_amount, parse_amount
from engine.client import EngineUnavailable, StatusUnknown, engine_client
from engine.core.commands import CancelOrder, DefineAsset, DefineMarket, OrderTerms, PlaceOrder
from engine.core.queries import GetDepth, GetOpenOrders
from engine.core.rejections import Code
from engine.core.replies import DepthReply, OrderReply, OrdersReply, Refused
from engine.core.types import OrderType, Side, TimeInForce
from engine.submit import CommandRefused, submit
from exchange_site.errors import CodedError, FieldInvalid
from markets import live
from markets.definitions import get_definition
from markets.trial import try_order

ORDER_LIFETIME_MS: Final = 5_000
"""An order that the engine sees later than this is refused: nobody waits for it any more."""

MAX_CANCELED: Final = 1_000
"""Orders that one call of `orders_cancel_all` cancels."""

Outcome = OrderReply | Exception
"""Of one order among several: the reply, or what the service for a single one would raise."""

MAX_TOGETHER: Final = 100
"""Commands of one request to the engine."""

LEVELS_TO_SELL: Final = 1_000
"""Of the book, that `quantity_to_sell` walks."""

_DEFAULT_TIME_IN_FORCE: Final = {
    OrderType.LIMIT: TimeInForce.GTC,
    OrderType.MARKET: TimeInForce.IOC,
}


class OutcomeUnknown(CodedError):
    """No answer came in time: the command may or may not take effect."""

    def __init__(self, client_order_id: str | None) -> None:
        super().__init__(
            "STATUS_UNKNOWN", "ask for the order by its id", client_order_id=client_order_id
        )


def order_place(
    *,
    account: int,
    market: str,
    side: Side,
    type: OrderType,
    time_in_force: TimeInForce | None = None,
    price: str | None = None,
    quantity: str | None = None,
    quote_quantity: str | None = None,
    post_only: bool = False,
    client_order_id: str | None = None,
    good_till: int | None = None,
    idempotent: bool = True,
    lifetime_ms: int = ORDER_LIFETIME_MS,
) -> OrderReply:
    """Place an order; the reply is the match result.

    Without a `time_in_force` a limit order is gtc and a market order ioc.
    With `idempotent`, a `client_order_id` is the idempotency key. An order without one is given
    one (see `new_client_order_id`), so that it can be asked for when no answer comes.
    """
    command = _placement(
        account=account,
        market=market,
        side=side,
        type=type,
        time_in_force=time_in_force,
        price=price,
        quantity=quantity,
        quote_quantity=quote_quantity,
        post_only=post_only,
        client_order_id=client_order_id,
        good_till=good_till,
        idempotent=idempotent,
        lifetime_ms=lifetime_ms,
    )
    return _submit(command, command.terms.client_order_id)


def quantity_to_sell(*, market: str, quote_quantity: str) -> str:
    """How much to sell at market now so as to receive `quote_quantity`, or up to a step less.

    By the book as it is; it can have changed when the order comes. Raises CommandRefused
    NOTIONAL_TOO_SMALL, or QUANTITY_TOO_SMALL where the amount or the book is too small for a step.
    """
    definition = get_definition(symbol=market)
    rules, unit = definition.rules, 10**definition.base_scale
    wanted = _amount("quote_quantity", quote_quantity, definition.quote_scale)
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


def order_test(*, account: int, **order: Any) -> None:
    """Check an order, given as to `order_place`, by its form and its market's filters. Nothing is
    sent to the engine, which alone knows the book and the balances (see `trial.py`); the price band
    is that of the last price in the feed.

    Raises what `order_place` would raise for these reasons.
    """
    terms = _placement(account=account, **order).terms
    refused = try_order(
        get_definition(symbol=terms.market),
        terms,
        last_price=live.get_last_price(market=terms.market),
        now=engine_client().engine_time_ms(),
    )
    if refused is not None:
        raise CommandRefused(refused.code, refused.detail)


def orders_place(*, account: int, orders: Sequence[Mapping[str, Any] | Exception]) -> list[Outcome]:
    """Place up to 100 orders with one push to the engine, each with the arguments of `order_place`.

    The outcome of each, in order. What stands in the list as an exception is that order's outcome.
    """

    def command_of(order: Mapping[str, Any] | Exception) -> PlaceOrder | Exception:
        if isinstance(order, Exception):
            return order
        try:
            return _placement(account=account, **order)
        except CodedError as error:
            return error

    return _submit_all([command_of(order) for order in orders])


def orders_cancel(
    *, account: int, orders: Sequence[Mapping[str, Any] | Exception]
) -> list[Outcome]:
    """The same for cancels, each with the arguments of `order_cancel`."""

    def command_of(order: Mapping[str, Any] | Exception) -> CancelOrder | Exception:
        if isinstance(order, Exception):
            return order
        try:
            return _cancel(account=account, **order)
        except CodedError as error:
            return error

    return _submit_all([command_of(order) for order in orders])


def orders_cancel_all(*, account: int, market: str | None = None) -> list[Outcome]:
    """Cancel the account's open orders, of one market or of all; the oldest `MAX_CANCELED`.

    One that was filled in the meantime is an UNKNOWN_ORDER among the outcomes. None is left once
    the answer is empty.
    """
    if market is not None:
        get_definition(symbol=market)
    reply = submit(GetOpenOrders(account=account, market=market)).reply
    assert isinstance(reply, OrdersReply), reply
    commands = [
        CancelOrder(account=account, market=order.terms.market, order_id=order.order_id)
        for order in reply.orders[:MAX_CANCELED]
    ]
    outcomes: list[Outcome] = []
    for start in range(0, len(commands), MAX_TOGETHER):
        outcomes += _submit_all(commands[start : start + MAX_TOGETHER])
    return outcomes


def _placement(
    *,
    account: int,
    market: str,
    side: Side,
    type: OrderType,
    time_in_force: TimeInForce | None = None,
    price: str | None = None,
    quantity: str | None = None,
    quote_quantity: str | None = None,
    post_only: bool = False,
    client_order_id: str | None = None,
    good_till: int | None = None,
    idempotent: bool = True,
    lifetime_ms: int = ORDER_LIFETIME_MS,
) -> PlaceOrder:
    definition = get_definition(symbol=market)
    time_in_force = time_in_force or _DEFAULT_TIME_IN_FORCE[type]
    _check_form(side, type, time_in_force, price, quantity, quote_quantity, good_till)
    terms = OrderTerms(
        account=account,
        market=market,
        side=side,
        type=type,
        time_in_force=time_in_force,
        price=_parse("price", price, definition.quote_scale),
        quantity=_parse("quantity", quantity, definition.base_scale),
        quote_quantity=_parse("quote_quantity", quote_quantity, definition.quote_scale),
        post_only=post_only,
        client_order_id=client_order_id or new_client_order_id(),
        good_till=good_till,
    )
    expires_at = engine_client().engine_time_ms() + lifetime_ms
    key = f"order:{client_order_id}" if idempotent and client_order_id else None
    return PlaceOrder(terms=terms, expires_at=expires_at, key=key)


def order_cancel(
    *,
    account: int,
    market: str,
    order_id: int | None = None,
    client_order_id: str | None = None,
) -> OrderReply:
    """Cancel an open order by either id; the reply is the order as it ended."""
    command = _cancel(
        account=account, market=market, order_id=order_id, client_order_id=client_order_id
    )
    return _submit(command, client_order_id)


def _cancel(
    *,
    account: int,
    market: str,
    order_id: int | None = None,
    client_order_id: str | None = None,
) -> CancelOrder:
    get_definition(symbol=market)
    return CancelOrder(
        account=account, market=market, order_id=order_id, client_order_id=client_order_id
    )


def new_client_order_id() -> str:
    """For an order whose caller gave none. Random enough never to meet another."""
    return f"x-{secrets.token_hex(12)}"


def asset_define(*, symbol: str, scale: int) -> int:
    """Define an asset, once. The journal's sequence after it."""
    return submit(DefineAsset(symbol=symbol, scale=scale)).sequence


def market_define(
    *,
    symbol: str,
    base: str,
    quote: str,
    base_scale: int,
    quote_scale: int,
    tick: str,
    step: str,
    min_quantity: str,
    max_quantity: str,
    min_notional: str,
    band_down_ppm: int,
    band_up_ppm: int,
    maker_fee_ppm: int,
    taker_fee_ppm: int,
) -> int:
    """Define a market or change its rules. The journal's sequence after it.

    The scales are given rather than looked up: the assets may be newer than their projection.
    """
    command = DefineMarket(
        symbol=symbol,
        base=base,
        quote=quote,
        tick=_amount("tick", tick, quote_scale),
        step=_amount("step", step, base_scale),
        min_quantity=_amount("min_quantity", min_quantity, base_scale),
        max_quantity=_amount("max_quantity", max_quantity, base_scale),
        min_notional=_amount("min_notional", min_notional, quote_scale),
        band_down_ppm=band_down_ppm,
        band_up_ppm=band_up_ppm,
        maker_fee_ppm=maker_fee_ppm,
        taker_fee_ppm=taker_fee_ppm,
    )
    return submit(command).sequence


def _check_form(
    side: Side,
    type: OrderType,
    time_in_force: TimeInForce,
    price: str | None,
    quantity: str | None,
    quote_quantity: str | None,
    good_till: int | None,
) -> None:
    """Which fields belong together. The engine checks it again; here the field can be named."""
    if type is OrderType.LIMIT:
        _require("price", price, "a limit order needs one")
        _require("quantity", quantity, "a limit order needs one")
        _forbid("quote_quantity", quote_quantity, "only a market buy may have one")
    else:
        _forbid("price", price, "a market order has none")
        if side is Side.SELL:
            _forbid("quote_quantity", quote_quantity, "only a market buy may have one")
        if quantity is not None:
            _forbid("quote_quantity", quote_quantity, "either this or quantity")
        elif quote_quantity is None:
            _require("quantity", None, "a market order needs a quantity or a quote_quantity")
    if time_in_force is TimeInForce.GTD:
        _require("good_till", good_till, "a gtd order needs one")
    else:
        _forbid("good_till", good_till, "only a gtd order may have one")


def _require(field: str, value: object, reason: str) -> None:
    if value is None:
        raise FieldInvalid(field, "MISSING_FIELD", reason)


def _forbid(field: str, value: object, reason: str) -> None:
    if value is not None:
        raise FieldInvalid(field, "INVALID_FIELD", reason)


def _parse(field: str, text: str | None, scale: int) -> int | None:
    return None if text is None else _amount(field, text, scale)


def _amount(field: str, text: str, scale: int) -> int:
    try:
        return parse_amount(text, scale)
    except AmountError as error:
        raise FieldInvalid(field, error.code, str(error)) from None


def _submit(command: PlaceOrder | CancelOrder, client_order_id: str | None) -> OrderReply:
    try:
        reply = submit(command).reply
    except StatusUnknown:
        raise OutcomeUnknown(client_order_id) from None
    assert isinstance(reply, OrderReply), reply
    return reply


def _submit_all(commands: Sequence[PlaceOrder | CancelOrder | Exception]) -> list[Outcome]:
    """Those that are commands, in one push; the others are their own outcome."""
    sendable = [command for command in commands if not isinstance(command, Exception)]
    try:
        answers = iter(engine_client().call_all(sendable))
    except EngineUnavailable as error:
        answers = iter([error] * len(sendable))
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


def _client_order_id(command: PlaceOrder | CancelOrder) -> str | None:
    if isinstance(command, PlaceOrder):
        return command.terms.client_order_id
    return command.client_order_id
