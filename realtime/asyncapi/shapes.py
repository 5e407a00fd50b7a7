"""Small words for JSON schemas."""

from typing import Any, Final

from engine.intervals import Interval

Schema = dict[str, Any]

AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{8}$"}
INTEGER: Final[Schema] = {"type": "integer"}
TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
TIME: Final[Schema] = {"type": "integer", "description": "Milliseconds since the epoch UTC."}
REQUEST_ID: Final[Schema] = {
    "oneOf": [INTEGER, {"type": "string", "maxLength": 36}, {"type": "null"}]
}
LEVELS: Final[Schema] = {
    "type": "array",
    "items": {"type": "array", "prefixItems": [AMOUNT, AMOUNT], "minItems": 2, "maxItems": 2},
    "description": "Price and quantity.",
}
INTERVAL: Final[Schema] = {"enum": [interval.value for interval in Interval]}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def always(value: object) -> Schema:
    return {"const": value}


def described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def nullable(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


def record(fields: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": fields | (optional or {}),
        "required": list(fields),
        "additionalProperties": False,
    }


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}
