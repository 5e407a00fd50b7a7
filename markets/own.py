"""A caller's own orders and balances, exact to the command: the engine is asked.

The engine knows open orders. A closed one is found in the orders table once the projector has
come as far as the engine was when it did not know the order.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, TypedDict, Unpack

from django.conf import settings

from engine.client import engine_client
from engine.connections import connect
from engine.core.commands import OrderTerms
from engine.core.events import Fill, OrderState
from engine.core.queries import GetBalances, GetOpenOrders, GetOrder
from engine.core.rejections import Code
from engine.core.replies import BalancesReply, OrderReply, OrdersReply, Refused
from engine.core.types import (
    Liquidity,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.journal import tail_sequence
from engine.submit import CommandRefused, asubmit, submit
from engine.times import to_milliseconds
from exchange_site.database.remembered import DatabaseUnavailable, ask_patiently
from exchange_site.errors import CodedError
from exchange_site.threads import in_thread
from markets import selectors
from markets.definitions import get_definition, get_scale
from markets.fills import AccountFill
from markets.models import Order
from markets.order_terms import OrderId

MAX_FILLS: Final = 5_000
"""In one answer, the newest; `/fills` pages through more."""

FILLS_WAIT_S: Final = 0.5
_POLL_S: Final = 0.01

_OPEN: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


class HistoryBehind(CodedError):
    """The orders table is behind the engine: what it says now may be out of date."""

    def __init__(self) -> None:
        super().__init__("HISTORY_BEHIND")


def order_get(*, account: int, **order: Unpack[OrderId]) -> OrderState:
    """The account's order, open or closed. Raises CommandRefused UNKNOWN_ORDER, HistoryBehind."""
    get_definition(symbol=order["market"])
    answer = engine_client().call(GetOrder(account, **order))
    if isinstance(answer.reply, OrderReply):
        return answer.reply.order
    assert isinstance(answer.reply, Refused), answer
    if answer.reply.code is not Code.UNKNOWN_ORDER:
        raise CommandRefused(answer.reply.code, answer.reply.detail)
    up_to_date = selectors.wait_for_projection(
        sequence=answer.sequence, timeout=settings.HISTORY_WAIT_S
    )
    row = selectors.get_order(account=account, **order)
    state = order_state(row) if row is not None else None
    if not up_to_date and (state is None or state.status in _OPEN):
        raise HistoryBehind
    if state is None:
        raise CommandRefused(Code.UNKNOWN_ORDER, "there is no such order")
    return state


def orders_open(*, account: int, market: str | None = None) -> tuple[OrderState, ...]:
    """Oldest first."""
    if market is not None:
        get_definition(symbol=market)
    reply = submit(GetOpenOrders(account=account, market=market)).reply
    assert isinstance(reply, OrdersReply), reply
    return reply.orders


class Page(TypedDict, total=False):
    """A part of the past: the oldest from `from_id` or `start_time` on where one is given, else the
    newest up to `end_time`; of one market, or of all. Times are milliseconds since the epoch."""

    market: str | None
    from_id: int | None
    start_time: int | None
    end_time: int | None
    limit: int


def orders_past(*, account: int, **page: Unpack[Page]) -> list[OrderState]:
    """Open and past orders, as of now. Raises HistoryBehind."""
    await_history(page.get("market"))
    return [order_state(row) for row in selectors.list_orders(account=account, **page)]


def fills_past(
    *, account: int, order_id: int | None = None, **page: Unpack[Page]
) -> list[AccountFill]:
    """As of now; `from_id` is a trade id, which needs a market. Raises HistoryBehind."""
    await_history(page.get("market"))
    return selectors.list_fills(account=account, order_id=order_id, **page)


def await_history(market: str | None = None, *, timeout: float | None = None) -> None:
    """Let the projector come as far as the journal is now, within `timeout` seconds; that of the
    settings, unless it is given.

    Raises UnknownMarket and HistoryBehind.
    """
    if market is not None:
        get_definition(symbol=market)
    with connect(settings.ENGINE_REDIS_URL) as server:
        tail = tail_sequence(server)
    patience_s = settings.HISTORY_WAIT_S if timeout is None else timeout
    if not selectors.wait_for_projection(sequence=tail, timeout=patience_s):
        raise HistoryBehind


def balances(*, account: int) -> tuple[tuple[str, int, int], ...]:
    """`(asset, available, locked)` by symbol; none for an account that never held anything."""
    reply = engine_client().call(GetBalances(account=account)).reply
    if isinstance(reply, Refused) and reply.code is Code.INVALID_ACCOUNT:
        return ()
    assert isinstance(reply, BalancesReply), reply
    return reply.balances


async def abalances(*, account: int) -> tuple[tuple[str, int, int], ...]:
    """`balances` in an event loop."""
    try:
        reply = (await asubmit(GetBalances(account=account))).reply
    except CommandRefused as refused:
        if refused.code is Code.INVALID_ACCOUNT:
            return ()
        raise
    assert isinstance(reply, BalancesReply), reply
    return reply.balances


def fills_of(orders: Iterable[OrderState]) -> dict[int, list[Fill]]:
    """The fills of these orders by order id, oldest first, of all orders in one question.

    For a moment the tables are behind the engine. They are waited for, but no answer fails for
    them: where they or the database take too long, the newest fills are missing, and the sum of
    quantities is less than the order's `executed_quantity`.
    """
    executed = {order.order_id: order for order in orders if order.executed_quantity}
    fills: dict[int, list[Fill]] = {order_id: [] for order_id in executed}
    deadline = time.monotonic() + FILLS_WAIT_S
    while not _is_complete(fills, executed):
        try:
            rows = ask_patiently(
                lambda: selectors.list_fills_of(order_ids=list(executed), limit=MAX_FILLS)
            )
        except DatabaseUnavailable:
            break
        fills = {order_id: [] for order_id in executed}
        for row in rows:
            fills[row.order_id].append(_fill(row))
        if len(rows) == MAX_FILLS or time.monotonic() >= deadline:
            break
        if not _is_complete(fills, executed):
            time.sleep(_POLL_S)
    return fills


async def afills_of(orders: Sequence[OrderState]) -> dict[int, list[Fill]]:
    """`fills_of` in an event loop."""
    if not any(order.executed_quantity for order in orders):
        return {}
    return await in_thread(lambda: fills_of(orders))


def _is_complete(fills: dict[int, list[Fill]], executed: dict[int, OrderState]) -> bool:
    return all(
        sum(fill.quantity for fill in fills[order_id]) >= order.executed_quantity
        for order_id, order in executed.items()
    )


def _fill(fill: AccountFill) -> Fill:
    definition = get_definition(symbol=fill.market)
    base, quote = definition.base_scale, definition.quote_scale
    return Fill(
        trade_id=fill.trade_id,
        price=_exact(fill.price, quote),
        quantity=_exact(fill.quantity, base),
        quote_quantity=_exact(fill.quote_quantity, quote),
        fee=_exact(fill.fee, get_scale(asset=fill.fee_asset)),
        fee_asset=fill.fee_asset,
        liquidity=Liquidity(fill.liquidity),
    )


def order_state(row: Order) -> OrderState:
    """A row of the orders table, as the engine would say it."""
    definition = get_definition(symbol=row.market_id)
    base, quote = definition.base_scale, definition.quote_scale
    terms = OrderTerms(
        account=row.account,
        market=row.market_id,
        side=Side(row.side),
        type=OrderType(row.type),
        time_in_force=TimeInForce(row.time_in_force),
        price=_units(row.price, quote),
        quantity=_units(row.quantity, base),
        quote_quantity=_units(row.quote_quantity, quote),
        post_only=row.post_only,
        client_order_id=row.client_order_id,
        good_till=_milliseconds(row.good_till),
        stop_price=_units(row.stop_price, quote),
        trailing_delta=row.trailing_delta,
        visible_quantity=_units(row.visible_quantity, base),
        self_trade_prevention=SelfTradePrevention(row.self_trade_prevention),
    )
    return OrderState(
        order_id=row.order_id,
        terms=terms,
        status=OrderStatus(row.status),
        executed_quantity=_exact(row.executed_quantity, base),
        executed_quote_quantity=_exact(row.executed_quote_quantity, quote),
        prevented_quantity=_exact(
            row.prevented_quantity, base if row.quote_quantity is None else quote
        ),
        created_at=to_milliseconds(row.created_at),
        updated_at=to_milliseconds(row.updated_at),
        working_since=_milliseconds(row.working_since),
        list_id=row.list_id,
    )


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else to_milliseconds(moment)


def _units(amount: Decimal | None, scale: int) -> int | None:
    return None if amount is None else _exact(amount, scale)


def _exact(amount: Decimal, scale: int) -> int:
    return int(amount.scaleb(scale))
