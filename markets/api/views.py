"""The native REST API, `/api/v1`.

A view reads the request, calls one service or selector, and writes the answer; errors of all of
them become problems in `exchange_site/api/problems.py`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import OptionalApiKeyAuthentication, account_of
from engine.core.events import OrderState
from exchange_site.api.fields import (
    body_fields,
    decode_fields,
    decode_items,
    decode_query,
    query_fields,
)
from exchange_site.api.problems import Problem, problem_from
from exchange_site.api.schema import query_parameters
from exchange_site.errors import FieldInvalid
from markets import live, own, selectors, services
from markets.api import schemas
from markets.api.presenting import (
    account_fill_out,
    balance_out,
    candle_out,
    depth_out,
    order_out,
    ticker_out,
    trade_out,
)
from markets.definitions import get_definition


class MarketDataView(APIView):
    """Public. A signed request counts as its key's, any other as its address's."""

    authentication_classes = (OptionalApiKeyAuthentication,)
    permission_classes = (AllowAny,)


class DepthView(MarketDataView):
    problem_statuses = (404, 503)

    @extend_schema(
        operation_id="get_depth",
        parameters=query_parameters(schemas.DepthQuery),
        responses=schemas.DepthOut,
    )
    def get(self, request: Request) -> Response:
        """The order book's best levels."""
        wanted = decode_query(request.query_params, schemas.DepthQuery)
        return Response(depth_out(live.get_depth(market=wanted.symbol, limit=wanted.limit)))


class KlineView(MarketDataView):
    problem_statuses = (404,)

    @extend_schema(
        operation_id="list_klines",
        parameters=query_parameters(schemas.KlineQuery),
        responses=list[schemas.CandleOut],
    )
    def get(self, request: Request) -> Response:
        """Candles, oldest first. `start_time` alone: the first from there on; else the newest."""
        wanted = decode_query(request.query_params, schemas.KlineQuery)
        get_definition(symbol=wanted.symbol)
        rows = live.list_klines(
            market=wanted.symbol,
            interval=wanted.interval,
            start_time=wanted.start_time,
            end_time=wanted.end_time,
            limit=wanted.limit,
        )
        return Response([candle_out(row) for row in rows])


class TickersView(MarketDataView):
    problem_statuses = (404, 503)

    @extend_schema(
        operation_id="list_tickers",
        parameters=query_parameters(schemas.TickersQuery),
        responses=schemas.TickerOut | list[schemas.TickerOut],
    )
    def get(self, request: Request) -> Response:
        """Statistics of the last 24 hours: of one market with `symbol`, else a list of all."""
        wanted = decode_query(request.query_params, schemas.TickersQuery)
        if wanted.symbol is not None:
            return Response(ticker_out(live.get_ticker(symbol=wanted.symbol)))
        return Response([ticker_out(ticker) for ticker in live.list_tickers()])


class TradesView(MarketDataView):
    problem_statuses = (404,)

    @extend_schema(
        operation_id="list_trades",
        parameters=query_parameters(schemas.TradesQuery),
        responses=list[schemas.TradeOut],
    )
    def get(self, request: Request) -> Response:
        """Public trades, oldest first."""
        wanted = decode_query(request.query_params, schemas.TradesQuery)
        get_definition(symbol=wanted.symbol)
        rows = selectors.list_trades(
            market=wanted.symbol, limit=wanted.limit, from_id=wanted.from_id
        )
        return Response([trade_out(row) for row in rows])


class OrderView(APIView):
    problem_statuses = (404, 409, 422, 503, 504)

    @extend_schema(operation_id="place_order", request=schemas.OrderIn, responses=schemas.OrderOut)
    def post(self, request: Request) -> Response:
        """Place an order. The answer is the match result, not a receipt.

        The same `client_order_id` with the same order within 24 hours answers with the first
        result; with another order it is a 409.
        """
        wanted = _placement(body_fields(request))
        reply = services.order_place(account=account_of(request), **wanted)
        return Response(order_out(reply.order, reply.fills))

    @extend_schema(
        operation_id="cancel_order",
        parameters=query_parameters(schemas.OrderQuery),
        request=None,
        responses=schemas.OrderOut,
    )
    def delete(self, request: Request) -> Response:
        """Cancel an open order by `order_id` or `client_order_id`; the answer is how it ended.

        The fields stand in the query, or in a JSON body.
        """
        wanted = _order_query(request)
        reply = services.order_cancel(
            account=account_of(request),
            market=wanted.symbol,
            order_id=wanted.order_id,
            client_order_id=wanted.client_order_id,
        )
        return Response(_with_fills([reply.order])[0])

    @extend_schema(
        operation_id="get_order",
        parameters=query_parameters(schemas.OrderQuery),
        responses=schemas.OrderOut,
    )
    def get(self, request: Request) -> Response:
        """One of the caller's orders, open or closed, by `order_id` or `client_order_id`."""
        wanted = _order_query(request)
        order = own.order_get(
            account=account_of(request),
            market=wanted.symbol,
            order_id=wanted.order_id,
            client_order_id=wanted.client_order_id,
        )
        return Response(_with_fills([order])[0])


class OrdersView(APIView):
    """Several orders with one call: a result each, in order."""

    problem_statuses = (404, 503)

    @extend_schema(
        operation_id="place_orders",
        request=schemas.OrdersIn,
        responses=list[schemas.OrderOut | Problem],
    )
    def post(self, request: Request) -> Response:
        """Place up to 100 orders. Each result is the order, or the problem that its own
        `POST /order` would have been answered with."""
        items = decode_items(body_fields(request), schemas.OrdersIn, "orders", schemas.MAX_ORDERS)
        assert items is not None
        return _placed(
            services.orders_place(
                account=account_of(request), orders=[_attempt(_placement, i) for i in items]
            )
        )

    @extend_schema(
        operation_id="cancel_orders",
        parameters=query_parameters(schemas.OpenOrdersQuery),
        request=None,
        responses=list[schemas.OrderOut | Problem],
    )
    def delete(self, request: Request) -> Response:
        """Cancel all of the caller's open orders, or those of one `symbol`: the oldest 1,000, and
        none is left once the answer is empty.

        With a JSON body `{"orders": [{"symbol", "order_id" or "client_order_id"}, ...]}` cancel
        these, up to 100. Each result is the order as it ended, or a problem.
        """
        fields = _with_body(request, query_fields(request.query_params, schemas.OpenOrdersQuery))
        items = decode_items(fields, schemas.CancelsIn, "orders", schemas.MAX_ORDERS)
        account = account_of(request)
        if items is None:
            wanted = decode_fields(fields, schemas.OpenOrdersQuery)
            return _canceled(services.orders_cancel_all(account=account, market=wanted.symbol))
        if "symbol" in fields:
            raise FieldInvalid("symbol", "INVALID_FIELD", "stands in each of the orders")
        return _canceled(
            services.orders_cancel(account=account, orders=[_attempt(_cancel, i) for i in items])
        )


class OpenOrdersView(APIView):
    problem_statuses = (404, 503)

    @extend_schema(
        operation_id="list_open_orders",
        parameters=query_parameters(schemas.OpenOrdersQuery),
        responses=list[schemas.OrderOut],
    )
    def get(self, request: Request) -> Response:
        """The caller's open orders, oldest first, of all markets or of one."""
        wanted = decode_query(request.query_params, schemas.OpenOrdersQuery)
        orders = own.orders_open(account=account_of(request), market=wanted.symbol)
        return Response(_with_fills(orders))


class OrderHistoryView(APIView):
    problem_statuses = (404, 503)

    @extend_schema(
        operation_id="list_orders",
        parameters=query_parameters(schemas.HistoryQuery),
        responses=list[schemas.OrderOut],
    )
    def get(self, request: Request) -> Response:
        """The caller's orders, open and past, oldest first.

        The newest ones; from `from_id` or `start_time` on where one is given.
        """
        wanted = decode_query(request.query_params, schemas.HistoryQuery)
        rows = own.orders_past(
            account=account_of(request),
            market=wanted.symbol,
            from_id=wanted.from_id,
            start_time=wanted.start_time,
            end_time=wanted.end_time,
            limit=wanted.limit,
        )
        return Response(_with_fills(rows))


class FillsView(APIView):
    problem_statuses = (404, 503)

    @extend_schema(
        operation_id="list_fills",
        parameters=query_parameters(schemas.FillsQuery),
        responses=list[schemas.AccountFillOut],
    )
    def get(self, request: Request) -> Response:
        """The caller's fills, oldest first. `from_id` is a trade id and needs a `symbol`."""
        wanted = decode_query(request.query_params, schemas.FillsQuery)
        if wanted.from_id is not None and wanted.symbol is None:
            raise FieldInvalid("symbol", "MISSING_FIELD", "trade ids count per market")
        fills = own.fills_past(
            account=account_of(request),
            market=wanted.symbol,
            order_id=wanted.order_id,
            from_id=wanted.from_id,
            start_time=wanted.start_time,
            end_time=wanted.end_time,
            limit=wanted.limit,
        )
        return Response([account_fill_out(fill) for fill in fills])


class BalancesView(APIView):
    problem_statuses = (503,)

    @extend_schema(operation_id="list_balances", responses=list[schemas.BalanceOut])
    def get(self, request: Request) -> Response:
        """The caller's balances, by asset."""
        decode_query(request.query_params, schemas.NoFields)
        return Response([balance_out(b) for b in own.balances(account=account_of(request))])


def _with_fills(orders: Sequence[OrderState]) -> list[schemas.OrderOut]:
    fills = own.fills_of(orders)
    return [order_out(order, fills.get(order.order_id, ())) for order in orders]


def _order_query(request: Request) -> schemas.OrderQuery:
    fields = query_fields(request.query_params, schemas.OrderQuery)
    if request.method != "GET":
        fields = _with_body(request, fields)
    return _one_order(fields)


def _with_body(request: Request, fields: dict[str, object]) -> dict[str, object]:
    """The fields of the query and those of the body; none may stand in both."""
    body = body_fields(request)
    for name in body:
        if name in fields:
            raise FieldInvalid(name, "INVALID_FIELD", "is given more than once")
    return fields | body


def _one_order(fields: Mapping[str, object]) -> schemas.OrderQuery:
    wanted = decode_fields(fields, schemas.OrderQuery)
    if wanted.order_id is None and wanted.client_order_id is None:
        raise FieldInvalid("order_id", "MISSING_FIELD", "or client_order_id is required")
    if wanted.order_id is not None and wanted.client_order_id is not None:
        raise FieldInvalid("client_order_id", "INVALID_FIELD", "either this or order_id")
    return wanted


def _placement(fields: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of `order_place`."""
    return _for_service(decode_fields(fields, schemas.OrderIn))


def _cancel(fields: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of `order_cancel`."""
    return _for_service(_one_order(fields))


def _for_service(wanted: schemas.OrderIn | schemas.OrderQuery) -> dict[str, Any]:
    arguments = msgspec.structs.asdict(wanted)
    arguments["market"] = arguments.pop("symbol")
    return arguments


def _attempt(
    decode: Callable[[Mapping[str, object]], dict[str, Any]], item: object
) -> dict[str, Any] | Exception:
    """One item of a list; a fault of its own does not hinder the others."""
    try:
        if not isinstance(item, dict):
            raise FieldInvalid("orders", "INVALID_FIELD", "each must be an object")
        return decode(item)
    except FieldInvalid as error:
        return error


def _placed(outcomes: Iterable[services.Outcome]) -> Response:
    return Response(
        [
            problem_from(outcome)
            if isinstance(outcome, Exception)
            else order_out(outcome.order, outcome.fills)
            for outcome in outcomes
        ]
    )


def _canceled(outcomes: Sequence[services.Outcome]) -> Response:
    """A cancel brings no fills; those that the orders had before are looked up together."""
    orders = [outcome.order for outcome in outcomes if not isinstance(outcome, Exception)]
    fills = own.fills_of(orders)
    return Response(
        [
            problem_from(outcome)
            if isinstance(outcome, Exception)
            else order_out(outcome.order, fills.get(outcome.order.order_id, ()))
            for outcome in outcomes
        ]
    )
