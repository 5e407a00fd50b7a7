"""Questions of sockets that need a thread: to the database, or to a Redis that answers later."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from django.db import connections

THREADS: Final = 8

_T = TypeVar("_T")
_threads: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")


def on_thread(question: Callable[[], _T]) -> "Future[_T]":
    """Begun in the order in which they are asked. Whoever asks bounds how many wait."""

    def ask() -> _T:
        try:
            return question()
        finally:
            connections.close_all()

    return _threads.submit(ask)


async def in_thread(question: Callable[[], _T]) -> _T:
    return await asyncio.wrap_future(on_thread(question))
