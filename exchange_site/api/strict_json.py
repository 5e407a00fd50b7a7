"""JSON bodies, read strictly: what could be meant in two ways is refused.

Refused are: invalid UTF-8, a name given twice, NaN and Infinity, lone surrogates and NUL, deep
nesting, huge numbers, and bodies over 64 KB. `json` rather than msgspec reads them, because
msgspec keeps the last of two equal names without a word.
"""

import json
from collections.abc import Mapping
from typing import IO, Any, Final, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from exchange_site.api.problems import ProblemError

MAX_BODY_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 8
_CONTAINERS: Final = (dict, list)


def read_body(request: HttpRequest) -> bytes:
    """The raw body. Raises ProblemError BODY_TOO_LARGE, where possible before reading it."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise ProblemError("BAD_REQUEST", "Content-Length is no number") from None
    if announced > MAX_BODY_BYTES:
        _too_large()
    try:
        body = request.body
    except RequestDataTooBig:
        _too_large()
    if len(body) > MAX_BODY_BYTES:
        _too_large()
    return body


def parse_json(body: bytes) -> object:
    """Raises ProblemError INVALID_JSON."""
    try:
        value: object = _decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        _invalid("not UTF-8")
    except json.JSONDecodeError as error:
        _invalid(f"{error.msg} at character {error.pos}")
    except RecursionError:
        _invalid("nested too deeply")
    except ValueError:  # an integer of thousands of digits
        _invalid("a number is too long")
    _check_depth(value, MAX_DEPTH)
    if b"\\u" in body:  # the only way to write what `_check_text` looks for
        _check_text(value)
    return value


def read_object(request: HttpRequest) -> dict[str, object]:
    """The object that the body holds; `{}` without a body.

    Raises ProblemError BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or INVALID_JSON.
    """
    body = read_body(request)
    if not body:
        return {}
    if request.content_type != StrictJSONParser.media_type:
        raise ProblemError("UNSUPPORTED_MEDIA_TYPE")
    value = parse_json(body)
    if not isinstance(value, dict):
        _invalid("the body must be an object")
    return value


class StrictJSONParser(BaseParser):
    """For `request.data`, and for the schema. The views call `read_object` themselves: DRF takes a
    body without a Content-Length, a chunked one, for none at all."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, object]:
        assert parser_context is not None
        return read_object(parser_context["request"]._request)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        _invalid("an object has the same name twice")
    return value


def _constant(name: str) -> NoReturn:
    _invalid(f"{name} is no JSON")


_decode: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant).decode


def _check_depth(value: object, depth: int) -> None:
    if isinstance(value, _CONTAINERS):
        if depth == 0:
            _invalid("nested too deeply")
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(part, _CONTAINERS):
                _check_depth(part, depth - 1)


def _check_text(value: object) -> None:
    """No text that UTF-8 or the database cannot carry."""
    if isinstance(value, str):
        if "\0" in value:
            _invalid("a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            _invalid("half of a surrogate pair")
    elif isinstance(value, _CONTAINERS):
        for part in value:
            _check_text(part)
        if isinstance(value, dict):
            for part in value.values():
                _check_text(part)


def _invalid(reason: str) -> NoReturn:
    raise ProblemError("INVALID_JSON", reason)


def _too_large() -> NoReturn:
    raise ProblemError("BODY_TOO_LARGE", f"more than {MAX_BODY_BYTES} bytes")
