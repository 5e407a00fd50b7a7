"""Rows as COPY's text format, written here as one block: psycopg would ask each field anew how it
is written, which costs three times as much."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

NULL: Final = "\\N"

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escape(text: str) -> str:
    """What COPY reads as `text`, whatever is in it."""
    # Most names are plain, and to ask that costs a tenth.
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def copy_field(value: object) -> str:
    """Any value of a row: None, a boolean, a number, a text, or a list of numbers."""
    if value is None:
        return NULL
    if isinstance(value, list):
        return f"{{{','.join(map(str, value))}}}"
    return escape(str(value))


def copy_block(rows: Iterable[tuple[object, ...]]) -> str:
    """Of rows whose fields are written already, or are numbers."""
    return "".join([_line(len(row)) % row for row in rows])


@lru_cache
def _line(fields: int) -> str:
    return "\t".join(["%s"] * fields) + "\n"


def array_of(items: Iterable[object]) -> str:
    """An array's literal, of NULL where an item is None. Texts must be quoted already."""
    return f"{{{','.join(['NULL' if item is None else str(item) for item in items])}}}"


def quote_item(text: str) -> str:
    """A text among the items of an array, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
