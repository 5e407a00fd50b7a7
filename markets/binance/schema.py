"""The OpenAPI schema of this surface: that of the native API is apart (`exchange_site/api/`)."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from exchange_site.api.schema import AutoSchema, query_parameters
from markets.binance import payloads
from markets.binance.callers import Security

if TYPE_CHECKING:
    from markets.binance.endpoints import Endpoint

PREFIX: Final = "/api/v3/"
SETTINGS: Final = {
    "TITLE": "Exchange, Binance-compatible",
    "DESCRIPTION": "The spot REST API of Binance, for its clients: see docs/BINANCE.md. Parameters "
    "stand in the query or in a form body. Amounts are strings of exactly eight decimals, times "
    'milliseconds since the epoch UTC. Errors are `{"code": -1121, "msg": "Invalid symbol."}`.',
    "VERSION": "3",
    "PREPROCESSING_HOOKS": ["markets.binance.schema.keep_binance"],
    "POSTPROCESSING_HOOKS": [],
    "SCHEMA_PATH_PREFIX": "/api/v3",
}
"""What differs from the settings of the native schema."""

_STATUSES: Final = {
    400: "The request is not acceptable; `code` says why.",
    401: "The API key or what it may do.",
    409: "One of two steps came about, and one not; `data` says which.",
    418: "The address is banned for a while; see `Retry-After`.",
    429: "Too much weight used, or too many orders placed.",
    503: "Nothing was done; try again.",
    504: "It may or may not have been done: ask.",
}


class BinanceSchema(AutoSchema):
    """Every operation can be answered with an error of this surface."""

    error_content_type = "application/json"

    def error_responses(self) -> dict[int, OpenApiResponse]:
        return {
            status: OpenApiResponse(payloads.Error, description=description)
            for status, description in _STATUSES.items()
        }


def keep_binance(endpoints: Iterable[tuple[str, str, str, Any]]) -> list[Any]:
    """Spectacular's preprocessing hook: this surface alone."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX)]


def describe(
    handler: Callable[..., Awaitable[Any]], method: str, endpoint: "Endpoint", operation: str
) -> Callable[..., Any]:
    """The handler of one method, with its entry in the schema."""

    @wraps(handler)
    async def described(*args: Any, **kwargs: Any) -> Any:
        return await handler(*args, **kwargs)

    described.__name__ = method.lower()
    described.__doc__ = endpoint.answer.__doc__
    return extend_schema(
        operation_id=f"{method.lower()}_{operation}",
        parameters=[*query_parameters(endpoint.parameters), *_security(endpoint.security)],
        request=None,
        responses={200: get_type_hints(endpoint.answer)["return"]},
        auth=[],
        tags=[endpoint.answer.__module__.rpartition(".")[2]],
    )(described)


def _security(security: Security) -> list[OpenApiParameter]:
    if security is Security.NONE:
        return []
    key = OpenApiParameter("X-MBX-APIKEY", str, OpenApiParameter.HEADER, required=True)
    if not security.is_signed:
        return [key]
    return [
        key,
        OpenApiParameter("timestamp", int, required=True),
        OpenApiParameter("recvWindow", int, description="5000 by default, 60000 at most."),
        OpenApiParameter(
            "signature",
            str,
            required=True,
            description="HMAC-SHA256 in hexadecimal over the raw query and the raw body.",
        ),
    ]
