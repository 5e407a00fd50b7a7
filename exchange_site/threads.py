"""What has to wait, taken out of the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Final, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

THREADS: Final = 40
"""Of a process. What more requests than these have to wait for, waits for a thread first."""

BRIEF_THREADS: Final = 8
"""For who calls, and what markets there are: orders must not wait behind what takes seconds."""

_T = TypeVar("_T")
_threads: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="requests")
_brief_threads: Final = ThreadPoolExecutor(BRIEF_THREADS, thread_name_prefix="brief")
_shares_threads: Final = ContextVar("shares_threads", default=False)


def share_threads() -> None:
    """From now on this task takes threads that all requests share, and not one of its own."""
    _shares_threads.set(True)


async def in_thread(question: Callable[[], _T], *, brief: bool = False) -> _T:
    """On a thread, which keeps no connection to the database afterwards. `brief` is what asks for
    some rows at most.

    It is Django's for the request, or that of the synchronous caller (a test's client, say), unless
    `share_threads` was called.
    """

    def ask() -> _T:
        try:
            return question()
        finally:
            _close_connections()

    if _shares_threads.get():
        threads = _brief_threads if brief else _threads
        return await asyncio.get_running_loop().run_in_executor(threads, ask)
    return await sync_to_async(ask, thread_sensitive=True)()


def _close_connections() -> None:
    """As Django does at a request's end, but for the thread of a caller in a transaction."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
