"""What clients say on a stream socket, and how it is answered. Pure.

Requests are `{"method": ..., "params": [...], "id": ...}`; answers and errors are Binance's
("Live Subscribing/Unsubscribing to streams"). The id comes back with its own type.
"""

import re
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

import msgspec

METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
MAX_SUBSCRIPTIONS: Final = 1024
MAX_NAME: Final = 100
"""Characters of a stream's name."""

RequestId = int | str | None
_STRING_ID: Final = re.compile(r"[ -~]{0,36}", re.ASCII)

UNKNOWN_PROPERTY: Final = 0
WRONG_VALUE: Final = 1
INVALID_REQUEST: Final = 2
INVALID_JSON: Final = 3
RESYNC: Final = 4
"""Of our own: what was missed is not kept any more. Ask for orders and balances, begin anew."""
UNAVAILABLE: Final = 5
"""Of our own: whose stream it is cannot be found out at the moment. Ask again later."""
NOT_SIGNED_IN: Final = 6
"""Of our own: the stream is the signed-in account's, and nobody is, or not any more."""

USER: Final = "user"
"""The stream of the signed-in account's own events."""

# A listen key stands for the stream of its account. After `@` stands the number of the event that
# the client saw last.
_OWN: Final = re.compile(r"(user|[A-Za-z0-9]{64})(?:@([0-9]{1,18}))?", re.ASCII)


class OwnStream(NamedTuple):
    """An account's stream, as a client names it."""

    right: str
    """`user`, or a listen key."""
    after: int | None


class Request(msgspec.Struct, frozen=True):
    method: str
    params: list[Any]
    id: RequestId


class RequestError(Exception):
    """Answered with Binance's `code` and `message`."""

    def __init__(self, code: int, message: str, request_id: RequestId = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.request_id = request_id


def parse_request(text: str) -> Request:
    """Raises RequestError."""
    try:
        fields = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise RequestError(
            INVALID_JSON, "Invalid JSON: expected value at line 1 column 1"
        ) from None
    if not isinstance(fields, dict):
        raise _invalid("expected a JSON object")
    request_id = _parse_id(fields.get("id"))
    if "method" not in fields:
        raise _invalid("missing field `method` at line 1 column 1", request_id)
    method = fields["method"]
    if method not in METHODS:
        raise _invalid(
            f"unknown variant `{str(method)[:40]}`, expected one of "
            + ", ".join(f"`{known}`" for known in METHODS)
            + " at line 1 column 1",
            request_id,
        )
    params = fields.get("params")
    if params is None:
        params = []
    if not isinstance(params, list):
        raise _invalid("invalid type: `params` must be an array", request_id)
    if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
        _check_names(params, request_id)
    return Request(method, params, request_id)


def _parse_id(value: Any) -> RequestId:
    if value is None or (isinstance(value, str) and _STRING_ID.fullmatch(value)):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    raise _invalid("request ID must be an integer, a string of up to 36 characters, or null")


def _check_names(params: list[Any], request_id: RequestId) -> None:
    if len(params) > MAX_SUBSCRIPTIONS:
        raise _invalid("too many parameters", request_id)
    for name in params:
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
            raise _invalid("a stream's name must be a string", request_id)


def own_stream(name: str) -> OwnStream | None:
    """None where the name is not that of an account's stream."""
    found = _OWN.fullmatch(name)
    if found is None:
        return None
    return OwnStream(found[1], None if found[2] is None else int(found[2]))


def _invalid(message: str, request_id: RequestId = None) -> RequestError:
    return RequestError(INVALID_REQUEST, f"Invalid request: {message}", request_id)


def invalid_request(message: str) -> RequestError:
    return _invalid(message)


def answer(result: Any, request_id: RequestId) -> str:
    return msgspec.json.encode({"result": result, "id": request_id}).decode()


def error_answer(error: RequestError) -> str:
    fault = {"code": error.code, "msg": error.message}
    return msgspec.json.encode({"error": fault, "id": error.request_id}).decode()


def names_in_query(query: bytes) -> list[str]:
    """The names in `?streams=a/b`. Unescaped; an empty list is legal. Raises RequestError."""
    found = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("streams", [""])
    names = [name for name in found[0].split("/") if name]
    _check_names(names, None)
    return names
