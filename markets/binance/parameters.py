"""The parameters of a request, from the raw query string and the raw body.

The body is a form whatever its label says: clients send forms labelled JSON, empty bodies labelled
JSON, and DELETE with a body. Where a parameter stands in both, the query's wins.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from markets.binance import errors

MAX_PARAMETERS: Final = 100

Parameters = Mapping[str, str]


def read_parameters(query: bytes, body: bytes) -> dict[str, str]:
    """Raises BinanceError -1100 or -1101."""
    parameters = _read(query)
    if body:
        parameters = _read(body) | parameters
    return parameters


def _read(text: bytes) -> dict[str, str]:
    parameters: dict[str, str] = {}
    pairs = text.split(b"&", MAX_PARAMETERS)
    if len(pairs) > MAX_PARAMETERS:
        raise errors.TOO_LARGE.error()
    for pair in pairs:
        if not pair:
            continue
        name, _, value = pair.partition(b"=")
        key = _decode(name)
        if key in parameters:
            raise errors.DUPLICATE_PARAMETER.error()
        parameters[key] = _decode(value)
    return parameters


def _decode(part: bytes) -> str:
    if b"%" in part or b"+" in part:
        part = unquote_to_bytes(part.replace(b"+", b" "))
    try:
        return part.decode()
    except UnicodeDecodeError:
        raise errors.ILLEGAL_ENCODING.error() from None
