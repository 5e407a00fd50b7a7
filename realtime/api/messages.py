"""What clients ask on the socket, and how it is answered. Pure."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from markets.binance import errors
from markets.binance.errors import BinanceError, Words, error_body
from markets.binance.limits import LimitExceeded
from markets.binance.parameters import MAX_PARAMETERS, Parameters
from markets.binance.payloads import RateLimitUsage
from realtime.protocol import RequestId

INVALID_JSON: Final = Words(-1135, "Invalid JSON Request")

_Id = int | Annotated[str, msgspec.Meta(max_length=36, pattern=r"^[ -~]*$")] | None


class _Identified(msgspec.Struct):
    id: _Id = None


class _Frame(_Identified):
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")


_VERSION: Final = "v3/"
"""May stand before a method's name."""

_decode_frame: Final = msgspec.json.Decoder(_Frame).decode
_decode_id: Final = msgspec.json.Decoder(_Identified).decode
# Numbers as they were written: a decimal is a text from here on.
_decode_scalars: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode
_decode_written: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text: Final = msgspec.json.Decoder(str).decode
_decode_list: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode


class ApiRequest(msgspec.Struct, frozen=True):
    """`parameters` are texts, as those of a REST request: numbers as they were written."""

    id: RequestId
    method: str | None = None
    """None of what is no request at all."""
    parameters: Parameters = {}


def parse_request(text: str) -> ApiRequest:
    """What is no request has its id, where one can be read, and no method."""
    try:
        frame = _decode_frame(text)
        parameters = _texts(bytes(frame.params))
        if not frame.method or len(parameters) > MAX_PARAMETERS:
            return ApiRequest(frame.id)
        return ApiRequest(frame.id, frame.method.removeprefix(_VERSION), parameters)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ApiRequest(_id_of(text))


def _id_of(text: str) -> RequestId:
    try:
        return _decode_id(text).id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def parse_list(parameters: Parameters, name: str, *, most: int) -> list[Parameters]:
    """The objects of a parameter that is a list. Raises BinanceError -1102 or -1130."""
    if name not in parameters:
        raise errors.MANDATORY_PARAMETER.error(name)
    try:
        items = _decode_list(parameters[name])
        if not 0 < len(items) <= most:  # before any is read: there may be very many
            raise errors.INVALID_DATA.error(name)
        return [_texts(bytes(item)) for item in items]
    except (msgspec.MsgspecError, RecursionError):
        raise errors.INVALID_DATA.error(name) from None


def _texts(raw: bytes) -> dict[str, str]:
    """The members of an object. Those that are lists or objects are as they were written, too, for
    a signature is over that; but such members are rare, and reading without them is quick."""
    if b"[" in raw or b"{" in raw[1:]:
        return {name: _written(bytes(value)) for name, value in _decode_written(raw).items()}
    return {
        name: value if type(value) is str else _scalar(value)
        for name, value in _decode_scalars(raw).items()
    }


def _written(raw: bytes) -> str:
    """Of a string its value; of anything else what stands there; nothing for null."""
    if raw.startswith(b'"'):
        return _decode_text(raw)
    return "" if raw == b"null" else raw.decode()


def _scalar(value: bool | int | None) -> str:
    if value is None:
        return ""
    return str(value) if type(value) is int else str(value).lower()


def answer(request_id: RequestId, result: Any, limits: Sequence[RateLimitUsage] | None) -> str:
    return _write({"id": request_id, "status": 200, "result": result}, limits)


def error_answer(
    request_id: RequestId, error: BinanceError, limits: Sequence[RateLimitUsage] | None
) -> str:
    return _write({"id": request_id, **error_fields(error)}, limits)


def error_fields(error: BinanceError) -> dict[str, Any]:
    """`status` and `error`. On the socket a limit says in `data` when it is worth another try."""
    body = error_body(error)
    if isinstance(error, LimitExceeded):
        body["data"] = {"serverTime": error.now_ms, "retryAfter": error.retry_at_ms}
    return {"status": error.status, "error": body}


def _write(fields: dict[str, Any], limits: Sequence[RateLimitUsage] | None) -> str:
    if limits is not None:
        fields["rateLimits"] = limits
    return _encode(fields).decode()
