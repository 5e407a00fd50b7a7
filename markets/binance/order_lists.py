"""Order lists: two orders of which one cancels the other, placed, cancelled, and asked for."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

import redis

from engine.core.events import OrderState
from engine.core.types import ListStatus, Side
from engine.submit import CommandRefused
from engine.times import to_milliseconds
from exchange_site.database.remembered import TROUBLE
from markets import own, selectors, services
from markets.binance import errors, payloads, presenting, queries
from markets.binance.account import check_day
from markets.binance.callers import Caller
from markets.binance.errors import Words
from markets.binance.fields import Lifetime, OrderKind, ResponseType
from markets.binance.order_forms import check_form, placement
from markets.definitions import get_definition
from markets.models import OrderList
from markets.order_terms import NewOrder, new_client_order_id

CONTINGENCY: Final = "OCO"
_EXECUTING: Final = ("EXEC_STARTED", "EXECUTING")
_DONE: Final = ("ALL_DONE", "ALL_DONE")

_LIMIT: Final = OrderKind.LIMIT_MAKER
_STOP_LOSS: Final = frozenset({OrderKind.STOP_LOSS, OrderKind.STOP_LOSS_LIMIT})
_TAKE_PROFIT: Final = frozenset({OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT})


class _Misplaced(NamedTuple):
    """What is said of a leg that stands on the wrong side of the last price."""

    limit: Words
    stop_loss: Words
    take_profit: Words


_TO_BUY: Final = _Misplaced(errors.LIMIT_BELOW, errors.STOP_LOSS_ABOVE, errors.TAKE_PROFIT_BELOW)
_TO_SELL: Final = _Misplaced(errors.LIMIT_ABOVE, errors.STOP_LOSS_BELOW, errors.TAKE_PROFIT_ABOVE)


def list_place(caller: Caller, wanted: queries.NewOrderList) -> payloads.PlacedOrderList:
    """Place two orders, one above the last price and one below. The first that trades or triggers
    stays, and the other expires."""
    get_definition(symbol=wanted.symbol)
    above, below = _legs(wanted)
    legs = [_leg(above, "above"), _leg(below, "below")]
    _check_places(wanted.side.side, above.type, below.type)
    if not _is_ordered(above, below):
        raise errors.BAD_LIST_PRICES.error()
    return _place(caller, wanted, legs)


def oco_place(caller: Caller, wanted: queries.NewOco) -> payloads.PlacedOrderList:
    """The older form of `orderList/oco`: a `LIMIT_MAKER` and a stop loss, which is limited where
    there is a `stopLimitPrice`."""
    get_definition(symbol=wanted.symbol)
    if wanted.stop_limit_price is not None and wanted.stop_limit_time_in_force is None:
        raise errors.MANDATORY_PARAMETER.error("stopLimitTimeInForce")
    limit, stop = _oco_legs(wanted)
    legs = [placement(leg, check_form(leg)) for leg in (limit, stop)]
    ordered = (limit, stop) if wanted.side.side is Side.SELL else (stop, limit)
    if not _is_ordered(*ordered):
        raise errors.BAD_LIST_PRICES.error()
    return _place(caller, wanted, legs)


def list_cancel(caller: Caller, wanted: queries.CancelListQuery) -> payloads.CanceledOrderList:
    """Cancel both orders of a list."""
    if wanted.order_list_id is None and wanted.list_client_order_id is None:
        raise errors.ONE_OF_TWO.error("orderListId", "listClientOrderId")
    try:
        reply = services.order_list_cancel(
            account=caller.account,
            market=wanted.symbol,
            list_id=wanted.order_list_id,
            client_list_id=wanted.list_client_order_id,
        )
    except CommandRefused as refused:
        raise errors.rejection(refused, errors.CANCEL_REJECTED) from refused
    name = wanted.list_client_order_id or _name_of(caller, reply.list_id)
    cancel_id = wanted.new_client_order_id or new_client_order_id()
    return payloads.CanceledOrderList(
        **_fields(reply.list_id, name, reply.orders, _DONE),
        order_reports=[presenting.canceled_order(order, cancel_id) for order in reply.orders],
    )


def list_get(caller: Caller, wanted: queries.OrderListQuery) -> payloads.OrderList:
    """One of the caller's order lists, by either id."""
    if wanted.order_list_id is None and wanted.orig_client_order_id is None:
        raise errors.ONE_OF_TWO.error("orderListId", "origClientOrderId")
    own.await_history()
    row = selectors.get_order_list(
        account=caller.account,
        list_id=wanted.order_list_id,
        client_list_id=wanted.orig_client_order_id,
    )
    if row is None:
        raise errors.NO_SUCH_LIST.error()
    return _listed([row])[0]


def open_order_lists(caller: Caller, _: queries.NoParameters) -> list[payloads.OrderList]:
    """The caller's order lists that are still executing."""
    own.await_history()
    return _listed(selectors.list_order_lists(account=caller.account, executing=True))


def all_order_lists(caller: Caller, wanted: queries.OrderListsQuery) -> list[payloads.OrderList]:
    """The caller's order lists, executing and done."""
    if wanted.from_id is not None and (wanted.start_time, wanted.end_time) != (None, None):
        raise errors.BAD_COMBINATION.error()
    check_day(wanted.start_time, wanted.end_time)
    own.await_history()
    return _listed(
        selectors.list_order_lists(
            account=caller.account,
            from_id=wanted.from_id,
            start_time=wanted.start_time,
            end_time=wanted.end_time,
            limit=wanted.limit,
        )
    )


def _legs(wanted: queries.NewOrderList) -> tuple[queries.NewOrder, queries.NewOrder]:
    common: dict[str, Any] = {
        "symbol": wanted.symbol,
        "side": wanted.side,
        "quantity": wanted.quantity,
        "self_trade_prevention_mode": wanted.self_trade_prevention_mode,
    }
    above = queries.NewOrder(
        **common,
        type=wanted.above_type,
        new_client_order_id=wanted.above_client_order_id,
        iceberg_qty=wanted.above_iceberg_qty,
        price=wanted.above_price,
        stop_price=wanted.above_stop_price,
        trailing_delta=wanted.above_trailing_delta,
        time_in_force=wanted.above_time_in_force,
        strategy_type=wanted.above_strategy_type,
    )
    below = queries.NewOrder(
        **common,
        type=wanted.below_type,
        new_client_order_id=wanted.below_client_order_id,
        iceberg_qty=wanted.below_iceberg_qty,
        price=wanted.below_price,
        stop_price=wanted.below_stop_price,
        trailing_delta=wanted.below_trailing_delta,
        time_in_force=wanted.below_time_in_force,
        strategy_type=wanted.below_strategy_type,
    )
    return above, below


def _oco_legs(wanted: queries.NewOco) -> tuple[queries.NewOrder, queries.NewOrder]:
    common: dict[str, Any] = {
        "symbol": wanted.symbol,
        "side": wanted.side,
        "quantity": wanted.quantity,
        "self_trade_prevention_mode": wanted.self_trade_prevention_mode,
    }
    limit = queries.NewOrder(
        **common,
        type=OrderKind.LIMIT_MAKER,
        new_client_order_id=wanted.limit_client_order_id,
        iceberg_qty=wanted.limit_iceberg_qty,
        price=wanted.price,
        strategy_type=wanted.limit_strategy_type,
    )
    limited = wanted.stop_limit_price is not None
    stop = queries.NewOrder(
        **common,
        type=OrderKind.STOP_LOSS_LIMIT if limited else OrderKind.STOP_LOSS,
        new_client_order_id=wanted.stop_client_order_id,
        iceberg_qty=wanted.stop_iceberg_qty,
        price=wanted.stop_limit_price,
        stop_price=wanted.stop_price,
        trailing_delta=wanted.trailing_delta,
        time_in_force=wanted.stop_limit_time_in_force,
        strategy_type=wanted.stop_strategy_type,
    )
    return limit, stop


def _leg(wanted: queries.NewOrder, prefix: str) -> NewOrder:
    if wanted.type in (OrderKind.LIMIT, OrderKind.MARKET):
        raise errors.NO_TYPE_OF_A_LIST.error()
    form = check_form(wanted, prefix=prefix)
    lifetime = wanted.time_in_force
    if wanted.iceberg_qty is not None and lifetime not in (None, Lifetime.GTC):
        raise errors.ICEBERG_OF_A_LIST.error(f"{prefix}IcebergQty")
    return placement(wanted, form)


def _check_places(side: Side, above: OrderKind, below: OrderKind) -> None:
    """A stop loss stands where trading is worse for its owner, anything else where it is better.
    Raises BinanceError."""
    if above is below is _LIMIT:
        raise errors.BOTH_LIMIT.error()
    words = _TO_BUY if side is Side.BUY else _TO_SELL
    worse, better = (above, below) if side is Side.BUY else (below, above)
    if worse is _LIMIT:
        raise words.limit.error()
    if better in _STOP_LOSS:
        raise words.stop_loss.error()
    if worse in _TAKE_PROFIT:
        raise words.take_profit.error()


def _is_ordered(above: queries.NewOrder, below: queries.NewOrder) -> bool:
    """Where both prices are given; a trailing order may have none."""
    high, low = (
        leg.price if leg.type is OrderKind.LIMIT_MAKER else leg.stop_price for leg in (above, below)
    )
    return high is None or low is None or Decimal(high) > Decimal(low)


def _place(
    caller: Caller, wanted: queries.ListTerms, legs: list[NewOrder]
) -> payloads.PlacedOrderList:
    name = wanted.list_client_order_id or new_client_order_id()
    reply = services.order_list_place(
        account=caller.account,
        legs=legs,
        client_list_id=name,
        idempotent=False,
        lifetime_ms=caller.valid_ms,
    )
    response = wanted.new_order_resp_type or ResponseType.RESULT
    return payloads.PlacedOrderList(
        **_fields(reply.list_id, name, reply.orders, _EXECUTING),
        order_reports=[presenting.placed(order, (), response) for order in reply.orders],
    )


def _fields(
    list_id: int, name: str, orders: Iterable[OrderState], status: tuple[str, str]
) -> dict[str, Any]:
    legs = [_leg_out(o.terms.market, o.order_id, o.terms.client_order_id) for o in orders]
    return {
        "order_list_id": list_id,
        "contingency_type": CONTINGENCY,
        "list_status_type": status[0],
        "list_order_status": status[1],
        "list_client_order_id": name,
        "transaction_time": max(order.updated_at for order in orders),
        "symbol": legs[0].symbol,
        "orders": legs,
    }


def _leg_out(market: str, order_id: int, name: str | None) -> payloads.OrderListLeg:
    return payloads.OrderListLeg(market, order_id, name or "")


def _name_of(caller: Caller, list_id: int) -> str:
    """The caller's own name for a list, which may have been placed a moment ago; none where the
    tables cannot tell it, for the list is cancelled."""
    try:
        own.await_history()
        row = selectors.get_order_list(account=caller.account, list_id=list_id)
    except (own.HistoryBehind, redis.RedisError, *TROUBLE):
        row = None
    return (row and row.client_list_id) or ""


def _listed(rows: list[OrderList]) -> list[payloads.OrderList]:
    orders = selectors.get_orders(order_ids=[i for row in rows for i in row.order_ids])
    return [
        payloads.OrderList(
            order_list_id=row.list_id,
            contingency_type=CONTINGENCY,
            list_status_type=status[0],
            list_order_status=status[1],
            list_client_order_id=row.client_list_id or "",
            transaction_time=to_milliseconds(row.updated_at),
            symbol=row.market_id,
            orders=[
                _leg_out(row.market_id, order_id, orders[order_id].client_order_id)
                for order_id in row.order_ids
            ],
        )
        for row in rows
        for status in [_EXECUTING if row.status == ListStatus.EXECUTING.value else _DONE]
    ]
