"""The native REST API, `/api/v1`: placing, changing and cancelling orders.

A view reads the request, calls one service, and writes the answer; errors of all of them become
problems in `exchange_site/api/problems.py`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import account_of
from engine.core.replies import OrderReply, Refused
from engine.submit import CommandRefused
from exchange_site.api.fields import (
    body_fields,
    decode_body,
    decode_fields,
    decode_items,
    query_fields,
)
from exchange_site.api.problems import Problem, problem_from
from exchange_site.api.schema import query_parameters
from exchange_site.api.views import AsyncAPIView
from exchange_site.errors import FieldInvalid
from exchange_site.threads import in_thread
from markets import own, services
from markets.api import arguments, schemas
from markets.api.presenting import order_out, orders_with_fills

_Wanted = TypeVar("_Wanted")


class OrderView(AsyncAPIView):
    problem_statuses = (404, 409, 422, 503, 504)

    @extend_schema(operation_id="place_order", request=schemas.OrderIn, responses=schemas.OrderOut)
    async def post(self, request: Request) -> Response:
        """Place an order. The answer is the match result, not a receipt.

        The same `client_order_id` with the same order within 24 hours answers with the first
        result; with another order it is a 409.
        """
        wanted = arguments.placement(body_fields(request))
        reply = await services.aorder_place(account=account_of(request), **wanted)
        return Response(order_out(reply.order, reply.fills))

    @extend_schema(
        operation_id="cancel_order",
        parameters=query_parameters(schemas.OrderQuery),
        request=None,
        responses=schemas.OrderOut,
    )
    async def delete(self, request: Request) -> Response:
        """Cancel an open order by `order_id` or `client_order_id`; the answer is how it ended.

        The fields stand in the query, or in a JSON body.
        """
        wanted = arguments.order_id(arguments.query_or_body(request, schemas.OrderQuery))
        reply = await services.aorder_cancel(account=account_of(request), **wanted)
        fills = await own.afills_of([reply.order])
        return Response(order_out(reply.order, fills.get(reply.order.order_id, ())))

    @extend_schema(
        operation_id="get_order",
        parameters=query_parameters(schemas.OrderQuery),
        responses=schemas.OrderOut,
    )
    def get(self, request: Request) -> Response:
        """One of the caller's orders, open or closed, by `order_id` or `client_order_id`."""
        wanted = arguments.order_id(arguments.query_or_body(request, schemas.OrderQuery))
        order = own.order_get(account=account_of(request), **wanted)
        return Response(orders_with_fills([order])[0])

    @extend_schema(operation_id="amend_order", request=schemas.AmendIn, responses=schemas.OrderOut)
    def patch(self, request: Request) -> Response:
        """Change an open order's price, total quantity or client order id.

        Less quantity at the same price keeps the place in the queue; anything else is like a new
        arrival, which may trade: `fills` are those.
        """
        wanted = arguments.amendment(body_fields(request))
        reply = services.order_amend(account=account_of(request), **wanted)
        return Response(order_out(reply.order, reply.fills))


class ReplaceView(AsyncAPIView):
    problem_statuses = (404, 503, 504)

    @extend_schema(
        operation_id="replace_order",
        request=schemas.ReplaceIn,
        responses=list[schemas.OrderOut | Problem],
    )
    def post(self, request: Request) -> Response:
        """Cancel an order and place another one, with nobody's command between. Each has a result,
        in this order: an order, or the problem that it alone would have been answered with.

        Where the cancel fails, nothing is placed and there is one result alone, unless `mode` is
        `allow_failure`.
        """
        wanted = arguments.replacement(body_fields(request))
        reply = services.order_replace(account=account_of(request), **wanted)
        done = [reply.canceled] if reply.placed is None else [reply.canceled, reply.placed]
        return Response([_outcome(each) for each in done])


class OrderListView(AsyncAPIView):
    """Two orders of which one cancels the other."""

    problem_statuses = (404, 409, 422, 503, 504)

    @extend_schema(
        operation_id="place_order_list",
        request=schemas.OrderListIn,
        responses=schemas.OrderListOut,
    )
    def post(self, request: Request) -> Response:
        """Place a list of two orders. The first that trades or triggers stays, the other expires.

        The same `client_list_id` with the same list within 24 hours answers with the first result.
        """
        wanted = arguments.order_list(body_fields(request))
        reply = services.order_list_place(account=account_of(request), **wanted)
        orders = [order_out(order) for order in reply.orders]
        return Response(schemas.OrderListOut(reply.list_id, orders))

    @extend_schema(
        operation_id="cancel_order_list",
        parameters=query_parameters(schemas.OrderListQuery),
        request=None,
        responses=schemas.OrderListOut,
    )
    def delete(self, request: Request) -> Response:
        """Cancel both orders of a list by `list_id` or `client_list_id`; the answer is how they
        ended. The fields stand in the query, or in a JSON body."""
        fields = arguments.query_or_body(request, schemas.OrderListQuery)
        wanted = arguments.order_list_id(fields)
        reply = services.order_list_cancel(account=account_of(request), **wanted)
        return Response(schemas.OrderListOut(reply.list_id, orders_with_fills(reply.orders)))


class OrdersView(AsyncAPIView):
    """Several orders with one call: a result each, in order."""

    problem_statuses = (404, 503)

    @extend_schema(
        operation_id="place_orders",
        request=schemas.OrdersIn,
        responses=list[schemas.OrderOut | Problem],
    )
    async def post(self, request: Request) -> Response:
        """Place up to 100 orders. Each result is the order, or the problem that its own
        `POST /order` would have been answered with."""
        items = decode_items(body_fields(request), schemas.OrdersIn, "orders", schemas.MAX_ORDERS)
        assert items is not None
        orders = [_attempt(arguments.placement, item) for item in items]
        return _placed(await services.aorders_place(account=account_of(request), orders=orders))

    @extend_schema(
        operation_id="cancel_orders",
        parameters=query_parameters(schemas.OpenOrdersQuery),
        request=None,
        responses=list[schemas.OrderOut | Problem],
    )
    async def delete(self, request: Request) -> Response:
        """Cancel all of the caller's open orders, or those of one `symbol`. The answer has those
        that were cancelled at once, 1,000 at most; any further ones are cancelled right after.

        With a JSON body `{"orders": [{"symbol", "order_id" or "client_order_id"}, ...]}` cancel
        these, up to 100. Each result is the order as it ended, or a problem.
        """
        query = query_fields(request.query_params, schemas.OpenOrdersQuery)
        fields = arguments.with_body(request, query)
        items = decode_items(fields, schemas.CancelsIn, "orders", schemas.MAX_ORDERS)
        account = account_of(request)
        if items is None:
            wanted = decode_fields(fields, schemas.OpenOrdersQuery)
            reply = await in_thread(
                lambda: services.orders_cancel_all(account=account, market=wanted.symbol)
            )
            fills = await own.afills_of(reply.orders)
            return Response([order_out(o, fills.get(o.order_id, ())) for o in reply.orders])
        if "symbol" in fields:
            raise FieldInvalid("symbol", "INVALID_FIELD", "stands in each of the orders")
        orders = [_attempt(arguments.order_id, item) for item in items]
        return await _canceled(await services.aorders_cancel(account=account, orders=orders))


class CancelAfterView(AsyncAPIView):
    problem_statuses = (404, 422, 503, 504)

    @extend_schema(
        operation_id="cancel_orders_after",
        request=schemas.CancelAfterIn,
        responses=schemas.CancelAfterOut,
    )
    def post(self, request: Request) -> Response:
        """The dead man's switch: all open orders, or those of one `symbol`, are cancelled after
        `timeout_ms` unless this is called again before; 0 stops the timer."""
        wanted = decode_body(request, schemas.CancelAfterIn)
        services.orders_cancel_after(account=account_of(request), **arguments.for_service(wanted))
        return Response(schemas.CancelAfterOut(wanted.symbol, wanted.timeout_ms))


def _outcome(reply: OrderReply | Refused) -> schemas.OrderOut | Problem:
    if isinstance(reply, Refused):
        return problem_from(CommandRefused(reply.code, reply.detail))
    return order_out(reply.order, reply.fills)


def _attempt(
    decode: Callable[[Mapping[str, object]], _Wanted], item: object
) -> _Wanted | Exception:
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


async def _canceled(outcomes: Sequence[services.Outcome]) -> Response:
    """A cancel brings no fills; those that the orders had before are looked up together."""
    orders = [outcome.order for outcome in outcomes if not isinstance(outcome, Exception)]
    fills = await own.afills_of(orders)
    return Response(
        [
            problem_from(outcome)
            if isinstance(outcome, Exception)
            else order_out(outcome.order, fills.get(outcome.order.order_id, ()))
            for outcome in outcomes
        ]
    )
