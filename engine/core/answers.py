"""Answers to queries: what the state is, read off without touching it."""

from itertools import islice

from engine.core.engine import Engine
from engine.core.events import OrderState
from engine.core.order import Order
from engine.core.order_book import BookSide
from engine.core.queries import GetBalances, GetDepth, GetOpenOrders, GetOrder, GetState, Query
from engine.core.rejections import Code
from engine.core.replies import (
    AssetTotals,
    BalancesReply,
    DepthReply,
    OrderReply,
    OrdersReply,
    Refused,
    Reply,
    StateReply,
)
from engine.core.snapshot import state_hash


def answer(engine: Engine, query: Query, sequence: int) -> Reply:
    """`sequence` is the journal entry up to which the engine has come."""
    match query:
        case GetOrder():
            return _order(engine, query)
        case GetOpenOrders():
            return _open_orders(engine, query)
        case GetBalances():
            return _balances(engine, query)
        case GetDepth():
            return _depth(engine, query)
        case GetState():
            return _state(engine, sequence)


def _state_of(order: Order) -> OrderState:
    return order.state(order.open_status)


def _order(engine: Engine, query: GetOrder) -> Reply:
    order = engine.orders.find(query.account, query.market, query.order_id, query.client_order_id)
    if order is None:
        return Refused(Code.UNKNOWN_ORDER, "no such open order of this account")
    return OrderReply(_state_of(order))


def _open_orders(engine: Engine, query: GetOpenOrders) -> Reply:
    account = engine.accounts.get(query.account)
    places = account.participants.values() if account is not None else ()
    orders = [
        order
        for place in places
        if query.market in (None, place.market.symbol)
        for order in place.orders.values()
    ]
    orders.sort(key=lambda order: order.order_id)
    return OrdersReply(tuple(map(_state_of, orders)))


def _balances(engine: Engine, query: GetBalances) -> Reply:
    account = engine.accounts.get(query.account)
    balances = account.balances.values() if account is not None else ()
    return BalancesReply(
        tuple(sorted((b.asset, b.available, b.locked) for b in balances if b.is_held))
    )


def _depth(engine: Engine, query: GetDepth) -> Reply:
    market = engine.markets.get(query.market)
    if market is None:
        return Refused(Code.UNKNOWN_MARKET, f"there is no market {query.market[:20]}")
    return DepthReply(
        query.market,
        market.depth_number,
        _levels(market.book.bids, query.limit),
        _levels(market.book.asks, query.limit),
        market.last_price,
        market.phase,
    )


def _levels(side: BookSide, limit: int) -> tuple[tuple[int, int], ...]:
    return tuple((level.price, level.quantity) for level in islice(side, max(0, limit)))


def _state(engine: Engine, sequence: int) -> Reply:
    return StateReply(
        sequence,
        state_hash(engine),
        {asset.symbol: asset.scale for asset in engine.markets.assets.values()},
        {asset: AssetTotals(*totals) for asset, totals in engine.accounts.totals().items()},
        {market.symbol: sum(1 for _ in market.orders()) for market in engine.markets},
    )
