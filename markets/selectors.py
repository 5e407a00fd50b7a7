"""What the tables say. Reads only; everything here is as of the projector's last batch.

Who must see a command that was just answered calls `wait_for_projection` with its sequence first,
or asks the engine itself. Times are milliseconds since the epoch UTC, lists are oldest first.
"""

import time
from collections.abc import Collection
from itertools import chain
from typing import Final, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet, Value
from django.db.models.expressions import Combinable

from engine.core.types import ListStatus
from engine.intervals import Interval
from engine.projector.positions import projected_sequence
from engine.times import to_datetime
from markets.fills import AccountFill, fill_of
from markets.models import Kline, Market, Order, OrderList, Trade
from markets.models.order import OPEN_STATUSES

__all__ = [
    "AccountFill",
    "get_market",
    "get_order",
    "get_order_list",
    "get_orders",
    "list_fills",
    "list_fills_of",
    "list_klines",
    "list_markets",
    "list_open_orders",
    "list_order_lists",
    "list_orders",
    "list_trades",
    "wait_for_projection",
]

_Row = TypeVar("_Row", bound=Model)

OPEN_AMONG: Final = 2_000
"""Orders of an account in one market: what a page can wait for, however many there are."""

_POLL_S: Final = 0.01
_POLL_AT_MOST_S: Final = 0.05
"""In a busy hour the projector writes a few times a second."""


def wait_for_projection(*, sequence: int, timeout: float) -> bool:
    """Whether the tables hold the journal up to `sequence`, after at most `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause_s = _POLL_S
    while projected_sequence() < sequence:
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _POLL_AT_MOST_S)
    return True


def list_markets() -> list[Market]:
    return list(Market.objects.select_related("base", "quote"))


def get_market(*, symbol: str) -> Market | None:
    return Market.objects.select_related("base", "quote").filter(symbol=symbol).first()


def get_order(
    *, account: int, market: str, order_id: int | None = None, client_order_id: str | None = None
) -> Order | None:
    """The account's order by either id (by both, it must match both).

    Client order ids are unique among open orders only: of several orders, the newest.
    """
    if order_id is None and client_order_id is None:
        return None
    orders = Order.objects.filter(account=account, market_id=market)
    if order_id is not None:
        orders = orders.filter(order_id=order_id)
    if client_order_id is not None:
        orders = orders.filter(client_order_id=client_order_id)
    return orders.order_by("-order_id").first()


def list_open_orders(*, account: int) -> list[Order]:
    """As of the projection: for when the engine cannot be asked. No index knows what is open: only
    the newest `OPEN_AMONG` of the account's orders in each market are looked through."""
    orders = Order.objects.filter(account=account)
    newest = _page_of_market(orders, OuterRef(OuterRef("symbol")), oldest=False, limit=OPEN_AMONG)
    still_open = Order.objects.filter(order_id__in=newest, status__in=OPEN_STATUSES)
    of_markets = Market.objects.order_by().values_list(
        ArraySubquery(still_open.values("order_id")), flat=True
    )
    order_ids = list(chain.from_iterable(of_markets))
    return list(Order.objects.filter(order_id__in=order_ids).order_by("order_id"))


def list_orders(
    *,
    account: int,
    market: str | None = None,
    from_id: int | None = None,
    before: int | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    limit: int = 500,
) -> list[Order]:
    """Orders of an account, open and past.

    The oldest ones at or after `from_id` or `start_time` where one is given; else the newest,
    below order id `before` and up to `end_time`. Times are those of an order's creation.
    """
    orders = Order.objects.filter(account=account)
    if from_id is not None:
        orders = orders.filter(order_id__gte=from_id)
    if before is not None:
        orders = orders.filter(order_id__lt=before)
    if start_time is not None:
        orders = orders.filter(created_at__gte=to_datetime(start_time))
    if end_time is not None:
        orders = orders.filter(created_at__lte=to_datetime(end_time))
    oldest = from_id is not None or start_time is not None
    if market is None:
        found = _of_all_markets(orders, oldest=oldest, limit=limit)
    else:
        page = _page_of_market(orders, Value(market), oldest=oldest, limit=limit)
        found = Order.objects.filter(order_id__in=page)
    return _page(found, "order_id", oldest=oldest, limit=limit)


def _of_all_markets(orders: QuerySet[Order], *, oldest: bool, limit: int) -> QuerySet[Order]:
    """At least those of a page: found market by market, as the one index of an account's orders has
    them. A second one would cost each order of everyone more than this question costs who asks."""
    page = _page_of_market(orders, OuterRef("symbol"), oldest=oldest, limit=limit)
    pages = Market.objects.order_by().values_list(ArraySubquery(page), flat=True)
    order_ids = sorted(chain.from_iterable(pages), reverse=not oldest)[:limit]
    return Order.objects.filter(order_id__in=order_ids)


def _page_of_market(
    orders: QuerySet[Order], symbol: Combinable, *, oldest: bool, limit: int
) -> QuerySet[Order, int]:
    """The ids of the oldest or newest `limit` of an account's orders in the market `symbol`, as a
    subquery."""
    # An equality would make the market a constant and the order by it void. Then the planner, who
    # knows that the account has many orders but not that it has few in this market, goes through
    # all orders of everyone by their primary key. Only `order_history` has this order.
    of_market = orders.filter(market_id__gte=symbol, market_id__lte=symbol)
    order = ("market_id", "order_id") if oldest else ("-market_id", "-order_id")
    return of_market.order_by(*order).values_list("order_id", flat=True)[:limit]


def get_orders(*, order_ids: Collection[int]) -> dict[int, Order]:
    """Those of these orders that there are, by id, whoever's they are."""
    return Order.objects.in_bulk(order_ids)


def get_order_list(
    *, account: int, list_id: int | None = None, client_list_id: str | None = None
) -> OrderList | None:
    """The account's order list by either id; of several with one client list id, the newest."""
    lists = OrderList.objects.filter(account=account)
    if list_id is not None:
        lists = lists.filter(list_id=list_id)
    if client_list_id is not None:
        lists = lists.filter(client_list_id=client_list_id)
    return lists.order_by("-list_id").first()


def list_order_lists(
    *,
    account: int,
    market: str | None = None,
    executing: bool = False,
    from_id: int | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    limit: int = 500,
) -> list[OrderList]:
    """Order lists of an account, paged like `list_orders`; with `executing`, those whose orders are
    still tied. Times are those of the last change."""
    lists = OrderList.objects.filter(account=account)
    if market is not None:
        lists = lists.filter(market_id=market)
    if executing:
        lists = lists.filter(status=ListStatus.EXECUTING.value)
    if from_id is not None:
        lists = lists.filter(list_id__gte=from_id)
    if start_time is not None:
        lists = lists.filter(updated_at__gte=to_datetime(start_time))
    if end_time is not None:
        lists = lists.filter(updated_at__lte=to_datetime(end_time))
    oldest = from_id is not None or start_time is not None
    return _page(lists, "list_id", oldest=oldest, limit=limit)


def list_trades(
    *,
    market: str,
    limit: int = 500,
    from_id: int | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
) -> list[Trade]:
    """Public trades: the oldest ones at or after `from_id` (a trade id) or `start_time` where one
    is given; else the newest, up to `end_time`."""
    trades = Trade.objects.filter(market_id=market)
    if from_id is not None:
        trades = trades.filter(trade_id__gte=from_id)
    if start_time is not None:
        trades = trades.filter(time__gte=to_datetime(start_time))
    if end_time is not None:
        trades = trades.filter(time__lte=to_datetime(end_time))
    oldest = from_id is not None or start_time is not None
    return _page(trades, "trade_id", oldest=oldest, limit=limit)


def list_fills(
    *,
    account: int,
    market: str | None = None,
    order_id: int | None = None,
    from_id: int | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    limit: int = 500,
) -> list[AccountFill]:
    """The account's halves of trades, paged like `list_orders`; `from_id` is a trade id, which
    needs a market. Who traded with themselves has two fills of one trade."""
    trades = Trade.objects.select_related("market")
    if market is not None:
        trades = trades.filter(market_id=market)
    if from_id is not None:
        trades = trades.filter(trade_id__gte=from_id)
    if start_time is not None:
        trades = trades.filter(time__gte=to_datetime(start_time))
    if end_time is not None:
        trades = trades.filter(time__lte=to_datetime(end_time))
    bought, sold = trades.filter(buyer=account), trades.filter(seller=account)
    if order_id is not None:
        bought, sold = bought.filter(buy_order_id=order_id), sold.filter(sell_order_id=order_id)
    # Trade ids count per market; across markets the journal gives the order. Two questions with
    # an index each: one with OR would sort all trades of the account.
    order = ("trade_id",) if market is not None else ("sequence", "market_id", "trade_id")
    oldest = from_id is not None or start_time is not None
    halves = [(trade, True) for trade in _page(bought, *order, oldest=oldest, limit=limit)]
    halves += [(trade, False) for trade in _page(sold, *order, oldest=oldest, limit=limit)]
    halves.sort(key=lambda half: (half[0].sequence, half[0].market_id, half[0].trade_id))
    kept = halves[:limit] if oldest else halves[-limit:]
    return [fill_of(trade, bought=bought_it) for trade, bought_it in kept]


def list_fills_of(*, order_ids: Collection[int], limit: int = 500) -> list[AccountFill]:
    """The newest fills of these orders, oldest first. Whose they are is the caller's to know."""
    trades = Trade.objects.select_related("market")
    bought = trades.filter(buy_order_id__in=order_ids)
    sold = trades.filter(sell_order_id__in=order_ids)
    order = ("sequence", "market_id", "trade_id")
    halves = [(trade, True) for trade in _page(bought, *order, oldest=False, limit=limit)]
    halves += [(trade, False) for trade in _page(sold, *order, oldest=False, limit=limit)]
    halves.sort(key=lambda half: (half[0].sequence, half[0].market_id, half[0].trade_id))
    return [fill_of(trade, bought=bought_it) for trade, bought_it in halves[-limit:]]


def list_klines(
    *,
    market: str,
    interval: Interval,
    start_time: int | None = None,
    end_time: int | None = None,
    limit: int = 500,
) -> list[Kline]:
    """Candles by open time: from `start_time` on where it is given, else the newest ones up to
    `end_time` (or now). Stretches without a trade have no candle."""
    klines = Kline.objects.filter(market_id=market, interval=interval.value)
    if start_time is not None:
        klines = klines.filter(time__gte=to_datetime(start_time))
    if end_time is not None:
        klines = klines.filter(time__lte=to_datetime(end_time))
    return _page(klines, "time", oldest=start_time is not None, limit=limit)


def _page(rows: QuerySet[_Row], *order: str, oldest: bool, limit: int) -> list[_Row]:
    """The first or the last `limit` rows; oldest first either way."""
    if oldest:
        return list(rows.order_by(*order)[:limit])
    return list(rows.order_by(*(f"-{field}" for field in order))[:limit])[::-1]
