"""Orders and cancels on their short way: from the socket to the engine without a thread.

What an order needs to be read by (its market's definition) is in memory; where it is not, a thread
fetches it first. What has to ask before it knows what to send takes the way of all other methods.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from engine.core.replies import OrderReply, Refused
from engine.loop_client import LoopClient, Outcome
from engine.submit import CommandRefused
from markets.binance import errors, queries
from markets.binance.callers import Caller
from markets.binance.errors import BinanceError, binance_error
from markets.binance.fields import decode, decode_list
from markets.binance.orders import Prepare, Prepared, prepare_cancel, prepare_order
from markets.binance.parameters import Parameters
from markets.definitions import MarketDefinition, aget_definition
from realtime.api.later import Later, completed
from realtime.api.messages import error_fields, parse_list

MAX_TOGETHER: Final = 100

SINGLE: Final[dict[str, Prepare]] = {"order.place": prepare_order, "order.cancel": prepare_cancel}


class ListKind(NamedTuple):
    """Our own methods: up to MAX_TOGETHER commands with one request."""

    name: str
    """Of the parameter that holds them."""
    query: type[queries.NewOrder] | type[queries.CancelQuery]
    prepare: Prepare
    counts: bool
    """Whether they count as orders placed."""


LISTS: Final = {
    "orders.place": ListKind("orders", queries.NewOrder, prepare_order, counts=True),
    "orders.cancel": ListKind("orders", queries.CancelQuery, prepare_cancel, counts=False),
}


async def prepared(prepare: Prepare, caller: Caller, wanted: Any) -> Prepared | None:
    """Raises what `binance_error` translates."""
    return prepare(caller, wanted, await aget_definition(symbol=wanted.symbol))


async def send(client: LoopClient, prepared: Prepared) -> Later:
    """Hand it over. Raises EngineUnavailable."""
    await client.ready()
    return Later(client.post([prepared.command]), partial(_single, prepared))


def _single(prepared: Prepared, outcomes: list[Outcome]) -> Any:
    return _present(prepared, outcomes[0])


def _present(prepared: Prepared, outcome: Outcome) -> Any:
    if isinstance(outcome, Exception):
        raise outcome
    reply = outcome.reply
    if isinstance(reply, Refused):
        raise prepared.refusal(CommandRefused(reply.code, reply.detail))
    assert isinstance(reply, OrderReply), reply
    return prepared.present(reply)


def read_items(
    kind: ListKind, parameters: Parameters
) -> Sequence[queries.NewOrder | queries.CancelQuery | BinanceError]:
    """What a list asks for, an item each. Raises BinanceError where it is no such list."""
    items = decode_list(parameters.get(kind.name, ""), kind.query)
    if items is not None and 0 < len(items) <= MAX_TOGETHER:
        return items
    each = parse_list(parameters, kind.name, most=MAX_TOGETHER)
    return [_read_item(kind, item) for item in each]


def _read_item(
    kind: ListKind, item: Parameters
) -> queries.NewOrder | queries.CancelQuery | BinanceError:
    try:
        return decode(item, kind.query)
    except BinanceError as error:
        return error


async def send_all(
    client: LoopClient,
    kind: ListKind,
    caller: Caller,
    items: Sequence[queries.NewOrder | queries.CancelQuery | BinanceError],
) -> Later:
    """Hand over those that are well formed, with one push. Raises EngineUnavailable."""
    symbols = {item.symbol for item in items if not isinstance(item, BinanceError)}
    markets = {symbol: await _market(symbol) for symbol in symbols}
    wanted = [
        item
        if isinstance(item, BinanceError)
        else _prepared_item(kind, caller, item, markets[item.symbol])
        for item in items
    ]
    commands = [each.command for each in wanted if isinstance(each, Prepared)]
    if not commands:
        return Later(completed([]), partial(_results, wanted))
    await client.ready()
    return Later(client.post(commands), partial(_results, wanted))


async def _market(symbol: str) -> MarketDefinition | BinanceError:
    try:
        return await aget_definition(symbol=symbol)
    except Exception as error:
        return binance_error(error)


def _prepared_item(
    kind: ListKind,
    caller: Caller,
    item: queries.NewOrder | queries.CancelQuery,
    market: MarketDefinition | BinanceError,
) -> Prepared | BinanceError:
    if isinstance(market, BinanceError):
        return market
    try:
        made = kind.prepare(caller, item, market)
    except Exception as error:
        return binance_error(error)
    return made if made is not None else errors.UNSUPPORTED_OPERATION.error()


def _results(
    wanted: list[Prepared | BinanceError], outcomes: list[Outcome]
) -> list[dict[str, Any]]:
    remaining = iter(outcomes)
    return [
        error_fields(each) if isinstance(each, BinanceError) else _item(each, next(remaining))
        for each in wanted
    ]


def _item(prepared: Prepared, outcome: Outcome) -> dict[str, Any]:
    """What the single call would have answered."""
    try:
        return {"status": 200, "result": _present(prepared, outcome)}
    except Exception as error:
        return error_fields(binance_error(error))
