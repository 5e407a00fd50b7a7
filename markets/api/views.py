"""The native REST API, `/api/v1`: what is only read. Orders are changed in `order_views.py`.

A view reads the request, calls one service or selector, and writes the answer; errors of all of
them become problems in `exchange_site/api/problems.py`.
"""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import OptionalApiKeyAuthentication, account_of
from exchange_site.api.fields import decode_query
from exchange_site.api.schema import query_parameters
from exchange_site.api.views import AsyncAPIView
from exchange_site.errors import FieldInvalid
from exchange_site.threads import in_thread
from markets import live, own, selectors
from markets.api import schemas
from markets.api.arguments import for_service
from markets.api.presenting import (
    account_fill_out,
    balance_out,
    candle_out,
    depth_out,
    market_out,
    orders_with_fills,
    ticker_out,
    trade_out,
)
from markets.definitions import get_definition, knows_scale, list_definitions


class MarketDataView(AsyncAPIView):
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


class MarketsView(MarketDataView):
    problem_statuses = (404,)

    @extend_schema(
        operation_id="list_markets",
        parameters=query_parameters(schemas.MarketsQuery),
        responses=schemas.MarketOut | list[schemas.MarketOut],
    )
    def get(self, request: Request) -> Response:
        """Rules and phases: of one market with `symbol`, else a list of all."""
        wanted = decode_query(request.query_params, schemas.MarketsQuery)
        if wanted.symbol is not None:
            return Response(market_out(get_definition(symbol=wanted.symbol)))
        return Response([market_out(market) for market in list_definitions()])


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


class OpenOrdersView(AsyncAPIView):
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
        return Response(orders_with_fills(orders))


class OrderHistoryView(AsyncAPIView):
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
        rows = own.orders_past(account=account_of(request), **for_service(wanted))
        return Response(orders_with_fills(rows))


class FillsView(AsyncAPIView):
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
        fills = own.fills_past(account=account_of(request), **for_service(wanted))
        return Response([account_fill_out(fill) for fill in fills])


class BalancesView(AsyncAPIView):
    problem_statuses = (503,)

    @extend_schema(operation_id="list_balances", responses=list[schemas.BalanceOut])
    async def get(self, request: Request) -> Response:
        """The caller's balances, by asset."""
        decode_query(request.query_params, schemas.NoFields)
        balances = await own.abalances(account=account_of(request))

        def present() -> list[schemas.BalanceOut]:
            return [balance_out(balance) for balance in balances]

        if all(knows_scale(asset=asset) for asset, _, _ in balances):
            return Response(present())
        return Response(await in_thread(present))
