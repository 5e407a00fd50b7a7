"""What clients ask on the socket, and how it is answered. Pure."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from markets.binance import errors
from markets.binance.errors import BinanceError, Words, error_body
from markets.binance.parameters import MAX_PARAMETERS, Parameters
from markets.binance.payloads import RateLimitUsage
from realtime.protocol import RequestId

INVALID_JSON: Final = Words(-1135, "Invalid JSON Request")

_Id = int | Annotated[str, msgspec.Meta(max_length=36, pattern=r"^[ -~]*$")] | None


class _Identified(msgspec.Struct):
    id: _Id = None


class _Frame(_Identified):
    method: str = ""
    params: dict[str, msgspec.Raw] = {}


_VERSION: Final = "v3/"
"""May stand before a method's name."""

_decode_frame: Final = msgspec.json.Decoder(_Frame).decode
_decode_id: Final = msgspec.json.Decoder(_Identified).decode
_decode_text: Final = msgspec.json.Decoder(str).decode
_decode_list: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
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
        if not frame.method or len(frame.params) > MAX_PARAMETERS:
            return ApiRequest(frame.id)
        method = frame.method.removeprefix(_VERSION)
        return ApiRequest(frame.id, method, _texts(frame.params))
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
        items: list[Parameters] = [_texts(item) for item in _decode_list(parameters[name])]
    except (msgspec.MsgspecError, RecursionError):
        raise errors.INVALID_DATA.error(name) from None
    if not 0 < len(items) <= most:
        raise errors.INVALID_DATA.error(name)
    return items


def _texts(params: Mapping[str, msgspec.Raw]) -> dict[str, str]:
    return {name: _text(bytes(raw)) for name, raw in params.items()}


def _text(raw: bytes) -> str:
    """Of a string its value; of anything else what stands there; nothing for null."""
    if raw.startswith(b'"'):
        return _decode_text(raw)
    return "" if raw == b"null" else raw.decode()


def answer(request_id: RequestId, result: Any, limits: Sequence[RateLimitUsage] | None) -> str:
    return _write({"id": request_id, "status": 200, "result": result}, limits)


def error_answer(
    request_id: RequestId, error: BinanceError, limits: Sequence[RateLimitUsage] | None
) -> str:
    return _write({"id": request_id, **error_fields(error)}, limits)


def error_fields(error: BinanceError) -> dict[str, Any]:
    """`status` and `error`."""
    return {"status": error.status, "error": error_body(error)}


def _write(fields: dict[str, Any], limits: Sequence[RateLimitUsage] | None) -> str:
    if limits is not None:
        fields["rateLimits"] = limits
    return _encode(fields).decode()
