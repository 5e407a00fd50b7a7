"""Errors of the API: RFC 9457 problem details with a stable code, and the HTTP status of each.

    400  the request is not well formed
    401  the caller is not known        403  the caller may not
    404  there is no such thing (or it is someone else's)
    409  it contradicts what the caller sent before
    422  well formed, but against a rule of the market or more than the balance
    503  nothing was done, try again    504  it may or may not have been done: ask

A problem's `type` leads to its entry in the list of all codes at `/docs/problems`.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from engine.client import EngineOverloaded, EngineUnavailable, StatusUnknown
from engine.core.rejections import Code
from engine.submit import CommandRefused
from exchange_site.database.remembered import TROUBLE
from exchange_site.errors import CodedError

CONTENT_TYPE: Final = "application/problem+json"
API_PREFIX: Final = "/api/"
RETRY_AFTER_S: Final = 1
OVERLOADED_S: Final = 2


class Kind(NamedTuple):
    status: int
    title: str


PROBLEMS: Final[dict[str, Kind]] = {
    # the request
    "BAD_REQUEST": Kind(400, "The request cannot be read"),
    "INVALID_JSON": Kind(400, "The body is not acceptable JSON"),
    "BODY_TOO_LARGE": Kind(413, "The body is too large"),
    "UNSUPPORTED_MEDIA_TYPE": Kind(415, "The body must be JSON"),
    "NOT_FOUND": Kind(404, "There is nothing here"),
    "METHOD_NOT_ALLOWED": Kind(405, "The path does not know this method"),
    # its fields
    "UNKNOWN_FIELD": Kind(400, "A field is unknown"),
    "MISSING_FIELD": Kind(400, "A field is missing"),
    "INVALID_FIELD": Kind(400, "A field has an unacceptable value"),
    "INVALID_DECIMAL": Kind(400, "An amount is no plain decimal string"),
    "TOO_MANY_DECIMALS": Kind(400, "An amount has more decimal places than its asset"),
    # the caller
    "NOT_AUTHENTICATED": Kind(401, "The caller is not known"),
    "INVALID_CREDENTIALS": Kind(401, "The name or the password is wrong"),
    "INVALID_TOKEN": Kind(401, "The bearer token is unknown or has expired"),
    "INVALID_API_KEY": Kind(401, "The API key is unknown or revoked"),
    "INVALID_SIGNATURE": Kind(401, "The signature is not that of this request"),
    "OUTSIDE_RECV_WINDOW": Kind(401, "The timestamp is outside of the recvWindow"),
    "ADDRESS_NOT_ALLOWED": Kind(403, "The API key may not be used from this address"),
    "SCOPE_MISSING": Kind(403, "The API key may not do this"),
    "CSRF_FAILED": Kind(403, "The CSRF token is missing or wrong"),
    "PERMISSION_DENIED": Kind(403, "The caller may not do this"),
    "RATE_LIMITED": Kind(429, "Too many requests"),
    # the engine: the command
    "MALFORMED": Kind(400, "The engine could not read the command"),
    "POISON": Kind(422, "The engine fails on this command; it did nothing"),
    "EXPIRED": Kind(422, "The engine saw the command too late; it did nothing"),
    "KEY_REUSED": Kind(409, "The id was used for something else before"),
    # the engine: what the command speaks of
    "UNKNOWN_ASSET": Kind(404, "There is no such asset"),
    "UNKNOWN_MARKET": Kind(404, "There is no such market"),
    "UNKNOWN_ORDER": Kind(404, "There is no such order"),
    "CANCEL_RESTRICTED": Kind(409, "The order is in another state"),
    "INVALID_ASSET": Kind(422, "The asset cannot be defined like this"),
    "INVALID_MARKET": Kind(422, "The market cannot be defined like this"),
    "INVALID_ACCOUNT": Kind(422, "There is no such account"),
    "INVALID_FEES": Kind(422, "There can be no such fees"),
    "INVALID_PHASE": Kind(422, "The market cannot move to this phase like this"),
    "INVALID_LIMIT": Kind(422, "There can be no such limit"),
    "UNKNOWN_ORDER_LIST": Kind(404, "There is no such order list"),
    "UNKNOWN_WITHDRAWAL": Kind(404, "There is no such withdrawal"),
    "DUPLICATE_CLIENT_ORDER_ID": Kind(409, "An open order has this client order id"),
    # the engine: the order's form
    "INVALID_ORDER": Kind(422, "There is no such kind of order"),
    "INVALID_ORDER_LIST": Kind(422, "There is no such kind of order list"),
    "INVALID_AMENDMENT": Kind(422, "The order cannot be changed like this"),
    "INVALID_TIMER": Kind(422, "There can be no such timer"),
    "AMOUNT_OUT_OF_RANGE": Kind(422, "An amount is out of range"),
    "PRICE_OFF_TICK": Kind(422, "The price is no multiple of the tick"),
    "QUANTITY_OFF_STEP": Kind(422, "The quantity is no multiple of the step"),
    "QUANTITY_TOO_SMALL": Kind(422, "The quantity is below the market's minimum"),
    "QUANTITY_TOO_LARGE": Kind(422, "The quantity is above the market's maximum"),
    "TOO_MANY_PARTS": Kind(422, "The iceberg shows too small a part"),
    "NOTIONAL_TOO_SMALL": Kind(422, "The order is worth too little"),
    "NOTIONAL_TOO_LARGE": Kind(422, "The order is worth too much"),
    "PRICE_OUT_OF_BAND": Kind(422, "The price is too far from the last one"),
    # the engine: the market's phase and the account's limits
    "PHASE_FORBIDS": Kind(422, "The market's phase forbids it"),
    "ACCOUNT_FROZEN": Kind(403, "The account is frozen"),
    "TOO_MANY_ORDERS": Kind(422, "The account has too many open orders in this market"),
    "TOO_MANY_CONDITIONAL_ORDERS": Kind(
        422, "The account has too many conditional orders in this market"
    ),
    "TOO_MANY_WITHDRAWALS": Kind(422, "The account has too many reserved withdrawals"),
    "NOTIONAL_LIMIT_EXCEEDED": Kind(422, "Open orders would be worth more than the account may"),
    # the engine: the book and the balances
    "NO_LAST_PRICE": Kind(422, "There is no last price yet"),
    "WOULD_TRIGGER": Kind(422, "The stop price is reached already"),
    "WOULD_TAKE": Kind(422, "A post-only order would take"),
    "INSUFFICIENT_BALANCE": Kind(422, "The balance does not suffice"),
    # the site itself
    "INTERNAL_ERROR": Kind(500, "An error of ours"),
    "SERVER_OVERLOADED": Kind(503, "The server takes no more at the moment; nothing was done"),
    "ENGINE_UNAVAILABLE": Kind(503, "The engine does not answer; nothing was done"),
    "ENGINE_OVERLOADED": Kind(503, "The engine takes no more at the moment; nothing was done"),
    "DATABASE_UNAVAILABLE": Kind(503, "The database does not answer; nothing was done"),
    "FEED_UNAVAILABLE": Kind(503, "Market data cannot be read at the moment"),
    "HISTORY_BEHIND": Kind(503, "The history is behind the engine for a moment"),
    "STATUS_UNKNOWN": Kind(504, "It is not known whether the command took effect"),
}

_UNLISTED: Final = Kind(422, "The engine refused the command")


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Problem details (RFC 9457), with a stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    """The field at fault."""
    client_order_id: str | None = None
    """The id to ask by where the outcome is not known."""


def kind_of(code: str) -> Kind:
    return PROBLEMS.get(code, _UNLISTED)


def problem_of(
    code: str, detail: str = "", *, field: str | None = None, client_order_id: str | None = None
) -> Problem:
    kind = kind_of(code)
    return Problem(
        type=f"/docs/problems#{code}",
        title=kind.title,
        status=kind.status,
        detail=detail or kind.title,
        code=code,
        field=field,
        client_order_id=client_order_id,
    )


class ProblemError(exceptions.APIException):
    """Ends the request with this problem."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        field: str | None = None,
        client_order_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.problem = problem_of(code, detail, field=field, client_order_id=client_order_id)
        if retry_after_s is None and self.problem.status in {429, 503}:
            retry_after_s = RETRY_AFTER_S
        self.retry_after_s = retry_after_s
        self.status_code = self.problem.status
        super().__init__(self.problem.detail, code)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. What it does not know becomes Django's 500, below."""
    known = _as_problem_error(error)
    if known is None:
        return None
    return Response(
        known.problem,
        status=known.problem.status,
        headers=_headers(known),
        content_type=CONTENT_TYPE,
    )


def problem_from(error: Exception) -> Problem:
    """The problem of one item of a list. What would be a 500 is raised again."""
    known = _as_problem_error(error)
    if known is None:
        raise error
    return known.problem


def _as_problem_error(error: Exception) -> ProblemError | None:
    match error:
        case ProblemError():
            return error
        case CodedError():
            return ProblemError(
                error.code,
                error.detail,
                field=error.field,
                client_order_id=error.client_order_id,
            )
        case CommandRefused():
            return ProblemError(error.code.value, error.detail)
        case EngineOverloaded():
            return ProblemError("ENGINE_OVERLOADED", str(error), retry_after_s=OVERLOADED_S)
        case EngineUnavailable():
            return ProblemError("ENGINE_UNAVAILABLE")
        case StatusUnknown():
            return ProblemError("STATUS_UNKNOWN")
        case _ if isinstance(error, TROUBLE):
            return ProblemError("DATABASE_UNAVAILABLE")
        case exceptions.Throttled():
            return ProblemError("RATE_LIMITED", retry_after_s=getattr(error, "wait", None))
        case exceptions.APIException():
            return ProblemError(_code_of(error), str(error.detail))
        case Http404():
            return ProblemError("NOT_FOUND")
        case PermissionDenied():
            return ProblemError("PERMISSION_DENIED")
        case SuspiciousOperation():
            return ProblemError("BAD_REQUEST")
        case _:
            return None


def _code_of(error: exceptions.APIException) -> str:
    match error:
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return "NOT_AUTHENTICATED"
        case exceptions.PermissionDenied():
            # The text is all that tells DRF's CSRF failures from others.
            csrf = str(error.detail).startswith("CSRF Failed")
            return "CSRF_FAILED" if csrf else "PERMISSION_DENIED"
        case exceptions.MethodNotAllowed():
            return "METHOD_NOT_ALLOWED"
        case exceptions.UnsupportedMediaType():
            return "UNSUPPORTED_MEDIA_TYPE"
        case exceptions.NotFound():
            return "NOT_FOUND"
        case _:
            return "BAD_REQUEST" if error.status_code < 500 else "INTERNAL_ERROR"


def _headers(error: ProblemError) -> dict[str, str]:
    headers = {}
    if error.problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return headers


def problem_response(code: str, detail: str = "") -> HttpResponse:
    """A problem from outside of DRF."""
    problem = problem_of(code, detail)
    return HttpResponse(
        msgspec.json.encode(problem), status=problem.status, content_type=CONTENT_TYPE
    )


# Django's own error views: problems below /api/, pages elsewhere.

_Page = Callable[..., HttpResponseBase]


def _view(code: str, page: _Page) -> _Page:
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.path.startswith(API_PREFIX):
            return problem_response(code)
        return page(request, *args, **kwargs)

    return view


bad_request = _view("BAD_REQUEST", defaults.bad_request)
permission_denied = _view("PERMISSION_DENIED", defaults.permission_denied)
not_found = _view("NOT_FOUND", defaults.page_not_found)
server_error = _view("INTERNAL_ERROR", defaults.server_error)

# Every code of the core has a place in the table; a new one must be given one.
assert all(code.value in PROBLEMS for code in Code)
