"""From the fields of a request to a typed value: every field known, none missing, none bent.

Requests and responses are msgspec structs. One declaration is the parser, the encoder and the
schema in `/schema`, at a fraction of the time that serializers of DRF take on the way of an order.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_args

import msgspec
from django.http import QueryDict
from rest_framework.request import Request

from exchange_site.api.strict_json import read_object
from exchange_site.errors import FieldInvalid

SIGNATURE_PARAMETERS: Final = frozenset({"timestamp", "recvWindow", "signature"})
"""They sign a request (`accounts/signatures.py`) and are none of its fields."""

Amount = Annotated[
    str,
    msgspec.Meta(
        description="A decimal string: digits, and at most one point.",
        examples=["0.01500000"],
        extra_json_schema={"pattern": r"^[0-9]{1,19}(\.[0-9]{1,18})?$"},
        extra={"amount": True},
    ),
]
"""Its grammar is checked by `engine/amounts.py`, which knows the scale."""

SignedAmount = Annotated[
    str,
    msgspec.Meta(
        description="A decimal string, possibly negative.",
        extra_json_schema={"pattern": r"^-?[0-9]{1,19}(\.[0-9]{1,18})?$"},
    ),
]

Symbol = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,20}$", examples=["BTCUSDT"])]

ClientOrderId = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[\.A-Z\:/a-z0-9_-]{1,36}$",
        description="The caller's own name for the order, and its idempotency key for 24 hours.",
    ),
]

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Time = Annotated[
    int,
    msgspec.Meta(ge=0, le=10**15, description="Milliseconds since the epoch, UTC."),
]


_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_FIELD_IN_ERROR: Final = re.compile(r" - at `\$\.(\w+)[^`]*`$")


class _Rule(NamedTuple):
    required: bool
    amount: bool
    integer: bool
    pattern: re.Pattern[str] | None


@cache
def _rules(into: type[msgspec.Struct]) -> dict[str, _Rule]:
    rules = {}
    for field in msgspec.structs.fields(into):
        parts = list(flatten(field.type))
        metas = [part for part in parts if isinstance(part, msgspec.Meta)]
        patterns = [meta.pattern for meta in metas if meta.pattern]
        rules[field.encode_name] = _Rule(
            required=field.required,
            amount=any((meta.extra or {}).get("amount") for meta in metas),
            integer=int in parts,
            pattern=re.compile(patterns[0], re.ASCII) if patterns else None,
        )
    return rules


def flatten(kind: Any) -> Any:
    """All types and annotations that a type is made of."""
    yield kind
    for part in get_args(kind):
        yield from flatten(part)


def decode_fields(fields: Mapping[str, object], into: type[_Struct]) -> _Struct:
    """Raises FieldInvalid: UNKNOWN_FIELD, MISSING_FIELD, INVALID_DECIMAL or INVALID_FIELD."""
    rules = _rules(into)
    for name, value in fields.items():
        rule = rules.get(name)
        if rule is None:
            raise FieldInvalid(name[:64], "UNKNOWN_FIELD", "is not known here")
        if rule.amount and not isinstance(value, str | None):
            raise FieldInvalid(
                name,
                "INVALID_DECIMAL",
                'must be a string such as "0.015", so that no digit is lost',
            )
        # msgspec searches, and `$` stands before a final line feed: the whole text must match.
        if rule.pattern and isinstance(value, str) and not rule.pattern.fullmatch(value):
            raise FieldInvalid(name, "INVALID_FIELD", f"must match {rule.pattern.pattern}")
    for name, rule in rules.items():
        if rule.required and name not in fields:
            raise FieldInvalid(name, "MISSING_FIELD", "is required")
    try:
        return msgspec.convert(fields, into)
    except msgspec.ValidationError as error:
        message = str(error)
        place = _FIELD_IN_ERROR.search(message)
        text = message[: place.start()] if place else message
        raise FieldInvalid(place[1] if place else "", "INVALID_FIELD", text) from None


def decode_items(
    fields: Mapping[str, object], into: type[msgspec.Struct], name: str, most: int
) -> list[object] | None:
    """The list `name`, 1 to `most` long, whose items are decoded one by one afterwards; None where
    it may be missing and is. Raises FieldInvalid as `decode_fields` does."""
    rules = _rules(into)
    for given in fields:
        if given not in rules:
            raise FieldInvalid(given[:64], "UNKNOWN_FIELD", "is not known here")
    if name not in fields:
        if rules[name].required:
            raise FieldInvalid(name, "MISSING_FIELD", "is required")
        return None
    items = fields[name]
    if not isinstance(items, list) or not 1 <= len(items) <= most:
        raise FieldInvalid(name, "INVALID_FIELD", f"must be a list of 1 to {most}")
    return items


def decode_body(request: Request, into: type[_Struct]) -> _Struct:
    """The same for a JSON body."""
    return decode_fields(body_fields(request), into)


def body_fields(request: Request) -> dict[str, object]:
    return read_object(request._request)


def decode_query(query: QueryDict, into: type[_Struct]) -> _Struct:
    """The same for a query string, whose integers are text."""
    return decode_fields(query_fields(query, into), into)


def query_fields(query: QueryDict, into: type[msgspec.Struct]) -> dict[str, object]:
    rules = _rules(into)
    fields: dict[str, object] = {}
    for name, values in query.lists():
        if name in SIGNATURE_PARAMETERS and name not in rules:
            continue
        if len(values) != 1:
            raise FieldInvalid(name[:64], "INVALID_FIELD", "is given more than once")
        value = values[0]
        rule = rules.get(name)
        if rule is not None and rule.integer:
            if not _INTEGER.fullmatch(value):
                raise FieldInvalid(name, "INVALID_FIELD", "must be an integer")
            fields[name] = int(value)
        else:
            fields[name] = value
    return fields
