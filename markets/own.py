"""A caller's own orders and balances, exact to the command: the engine is asked.

The engine knows open orders. A closed one is found in the orders table once the projector has
come as far as the engine was when it did not know the order.
"""

from decimal import Decimal

from engine.client import engine_client
from engine.core.commands import OrderTerms
from engine.core.events import OrderState
from engine.core.queries import GetBalances, GetOpenOrders, GetOrder
from engine.core.rejections import Code
from engine.core.replies import BalancesReply, OrderReply, OrdersReply, Refused
from engine.core.types import OrderStatus, OrderType, Side, TimeInForce
from engine.submit import CommandRefused, submit
from engine.times import to_milliseconds
from exchange_site.errors import CodedError
from markets import selectors
from markets.definitions import get_definition
from markets.models import Order

_OPEN = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


class HistoryBehind(CodedError):
    """The orders table is behind the engine: what it says now may be out of date."""

    def __init__(self) -> None:
        super().__init__("HISTORY_BEHIND")


def order_get(
    *,
    account: int,
    market: str,
    order_id: int | None = None,
    client_order_id: str | None = None,
) -> OrderState:
    """The account's order, open or closed. Raises CommandRefused UNKNOWN_ORDER, HistoryBehind."""
    get_definition(symbol=market)
    answer = engine_client().call(GetOrder(account, market, order_id, client_order_id))
    if isinstance(answer.reply, OrderReply):
        return answer.reply.order
    assert isinstance(answer.reply, Refused), answer
    if answer.reply.code is not Code.UNKNOWN_ORDER:
        raise CommandRefused(answer.reply.code, answer.reply.detail)
    up_to_date = selectors.wait_for_projection(answer.sequence)
    row = selectors.get_order(
        account_id=account, market=market, order_id=order_id, client_order_id=client_order_id
    )
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


def balances(*, account: int) -> tuple[tuple[str, int, int], ...]:
    """`(asset, available, locked)` by symbol; none for an account that never held anything."""
    reply = engine_client().call(GetBalances(account=account)).reply
    if isinstance(reply, Refused) and reply.code is Code.INVALID_ACCOUNT:
        return ()
    assert isinstance(reply, BalancesReply), reply
    return reply.balances


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
        good_till=to_milliseconds(row.good_till) if row.good_till else None,
    )
    return OrderState(
        order_id=row.order_id,
        terms=terms,
        status=OrderStatus(row.status),
        executed_quantity=_units(row.executed_quantity, base) or 0,
        executed_quote_quantity=_units(row.executed_quote_quantity, quote) or 0,
        created_at=to_milliseconds(row.created_at),
        updated_at=to_milliseconds(row.updated_at),
    )


def _units(amount: Decimal | None, scale: int) -> int | None:
    return None if amount is None else int(amount.scaleb(scale))
