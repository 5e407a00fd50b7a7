"""HTTP: from a request to an endpoint's answer, with the headers that clients watch."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.addresses import client_address
from accounts.authentication import API_KEY_HEADER
from accounts.counting import counting
from accounts.selectors import credential_at_hand, knows_credential
from exchange_site.api.problems import ProblemError
from exchange_site.api.rendering import json_response
from exchange_site.api.strict_json import read_body
from exchange_site.api.views import AsyncAPIView
from exchange_site.threads import in_thread
from markets.binance import errors, limits
from markets.binance.callers import Call, Caller, Security, identify
from markets.binance.endpoints import Endpoint, Methods
from markets.binance.errors import BinanceError, binance_error, error_body
from markets.binance.fields import decode
from markets.binance.limits import TooManyOrders, TooMuchWeight
from markets.binance.orders import send_prepared
from markets.binance.parameters import read_parameters
from markets.binance.schema import BinanceSchema, describe
from markets.binance.weights import LEAST_WEIGHT
from markets.definitions import aget_definition

_TIME_UNIT_HEADER: Final = "HTTP_X_MBX_TIME_UNIT"


class BinanceView(AsyncAPIView):
    """One path. Who calls, and how often, is the endpoint's matter and not that of DRF's classes:
    it depends on the method, and weights count before anybody is known."""

    methods: ClassVar[Methods]
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = BinanceSchema()

    async def ainitial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing of DRF's is wanted: there is one format, and no version."""

    def handle_exception(self, exc: Exception) -> Response:
        return error_response(binance_error(exc))  # type: ignore[return-value] # an HttpResponse

    async def answer(self, request: Request) -> HttpResponse:
        """What every method of every path does."""
        endpoint = self.methods[request.method or ""]
        try:
            call = _call(request)
        except (BinanceError, ProblemError):
            await self._use(client_address(request), LEAST_WEIGHT)
            raise
        caller = await self._admit(call, endpoint)
        wanted = decode(call.parameters, endpoint.parameters)
        if endpoint.orders:
            await self._count_orders(caller, endpoint.orders)
        prepare = endpoint.prepare
        if prepare is not None:
            symbol: str = wanted.symbol  # type: ignore[attr-defined] # as all that prepares has
            prepared = prepare(caller, wanted, await aget_definition(symbol=symbol))
            if prepared is not None:
                return json_response(await send_prepared(prepared))
        return json_response(await in_thread(lambda: endpoint.answer_in_time(caller, wanted)))

    async def _admit(self, call: Call, endpoint: Endpoint) -> Caller:
        """Know the caller and count the request; a maker's is not counted."""
        weight = endpoint.weight(call.parameters)
        if call.key is None or not knows_credential(key=call.key):
            await self._use(call.address, weight)  # before anything is looked up for whoever it is
            return await _identify(call, endpoint.security)
        try:
            caller = await _identify(call, endpoint.security)
        except BinanceError:
            await self._use(call.address, weight)
            raise
        if caller.is_maker:
            self.headers |= limits.UNCOUNTED.headers()
        else:
            await self._use(call.address, weight)
        return caller

    async def _use(self, address: str, weight: int) -> None:
        try:
            usage = await counting().run(limits.weight_of(address=address, weight=weight))
        except TooMuchWeight as error:
            self.headers |= error.used.headers()
            raise
        self.headers |= usage.headers()

    async def _count_orders(self, caller: Caller, number: int) -> None:
        counts = limits.UNCOUNTED_ORDERS
        if not caller.is_maker:
            count = limits.orders_of(account=caller.account, number=number)
            try:
                counts = await counting().run(count)
            except TooManyOrders as error:
                self.headers |= error.used.headers()
                raise
        self.headers |= counts.headers()


async def _identify(call: Call, security: Security) -> Caller:
    """In the event loop where the key is at hand."""
    if security is Security.NONE or call.key is None or credential_at_hand(key=call.key):
        return identify(call, security)
    return await in_thread(lambda: identify(call, security), brief=True)


def paths_of(table: Mapping[str, Methods]) -> list[URLPattern]:
    return [
        path(name, _view_of(methods, name.replace("/", "_"))) for name, methods in table.items()
    ]


def _view_of(methods: Methods, operation: str) -> Any:
    """A view of these methods; `operation` names it in the schema."""
    handlers = {
        method.lower(): describe(BinanceView.answer, method, endpoint, operation)
        for method, endpoint in methods.items()
    }
    names = {"methods": methods, "http_method_names": list(handlers), **handlers}
    view: type[BinanceView] = type("BinanceEndpointView", (BinanceView,), names)
    return view.as_view()


def unknown_path(_: HttpRequest) -> HttpResponse:
    """Below the paths of this surface, where there is nothing."""
    code, text, _status = errors.UNSUPPORTED_OPERATION
    return error_response(BinanceError(code, text, status=404))


def error_response(error: BinanceError) -> HttpResponse:
    response = json_response(error_body(error), status=error.status)
    if isinstance(error, TooMuchWeight):  # of orders Binance does not say it here
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return response


def _call(request: Request) -> Call:
    unit = request.META.get(_TIME_UNIT_HEADER)
    if unit is not None and unit.upper() != "MILLISECOND":
        raise errors.INVALID_TIME_UNIT.error()
    # The server decodes the query as UTF-8, if at all; so these are the bytes that came.
    query = request.META.get("QUERY_STRING", "").encode()
    body = read_body(request._request) if request.method != "GET" else b""
    return Call(
        key=request.META.get(API_KEY_HEADER),
        address=client_address(request),
        query=query,
        body=body,
        parameters=read_parameters(query, body),
    )
