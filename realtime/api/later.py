"""A result that is on its way."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

_T = TypeVar("_T")


class Later(NamedTuple):
    """`present` makes the result of what the future brings; it may raise what `binance_error`
    translates, and so may the future."""

    future: "asyncio.Future[Any]"
    present: Callable[[Any], Any]


def completed(value: _T) -> "asyncio.Future[_T]":
    future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future


def as_it_is(value: _T) -> _T:
    """To `present` what needs no more."""
    return value
