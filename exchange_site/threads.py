"""What has to wait, taken out of the event loop."""

from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

_T = TypeVar("_T")


async def in_thread(question: Callable[[], _T]) -> _T:
    """On a thread, which keeps no connection to the database afterwards."""

    def ask() -> _T:
        try:
            return question()
        finally:
            _close_connections()

    return await sync_to_async(ask, thread_sensitive=True)()


def _close_connections() -> None:
    """As Django does at a request's end, but for the thread of a caller in a transaction."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
