"""What has to wait, taken out of the event loop."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Final, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

from exchange_site.errors import CodedError

THREADS: Final = 40
"""Of a process. What more requests than these have to wait for, waits for a thread first."""

BRIEF_THREADS: Final = 8
"""For who calls, and what markets there are: orders must not wait behind what takes seconds."""

MAX_WAITING: Final = 1_000
"""For a thread of each kind: with more, some would wait longer than anybody does."""

_T = TypeVar("_T")


class ServerOverloaded(CodedError):
    def __init__(self) -> None:
        super().__init__("SERVER_OVERLOADED")


class Threads:
    """A pool, for which so many questions wait at most."""

    def __init__(self, number: int, name: str, *, max_waiting: int) -> None:
        self._executor = ThreadPoolExecutor(number, thread_name_prefix=name)
        self._most = number + max_waiting
        self._asked = 0
        self._lock = threading.Lock()

    def submit(self, question: Callable[[], _T]) -> "Future[_T]":
        """Raises ServerOverloaded where too many are waiting.

        What is cancelled stays counted for as long as a thread, or a place in the queue, is taken.
        """
        with self._lock:
            if self._asked >= self._most:
                raise ServerOverloaded
            self._asked += 1
        answer: Future[_T] = Future()
        # Not the future of the executor, for that is done when it is cancelled, and yet queued.
        self._executor.submit(_answer, question, answer).add_done_callback(self._done)
        return answer

    def _done(self, _turn: "Future[None]") -> None:
        """Called by the thread."""
        with self._lock:
            self._asked -= 1


def _answer(question: Callable[[], _T], answer: "Future[_T]") -> None:
    if not answer.set_running_or_notify_cancel():
        return  # nobody waits for it any more
    try:
        answer.set_result(question())
    except BaseException as error:
        answer.set_exception(error)
        del answer  # which holds the error, and so this frame


_threads: Final = Threads(THREADS, "requests", max_waiting=MAX_WAITING)
_brief_threads: Final = Threads(BRIEF_THREADS, "brief", max_waiting=MAX_WAITING)
_shares_threads: Final = ContextVar("shares_threads", default=False)


def share_threads() -> None:
    """From now on this task takes threads that all requests share, and not one of its own."""
    _shares_threads.set(True)


async def in_thread(question: Callable[[], _T], *, brief: bool = False) -> _T:
    """On a thread, which keeps no connection to the database afterwards. `brief` is what asks for
    some rows at most.

    It is Django's for the request, or that of the synchronous caller (a test's client, say), unless
    `share_threads` was called: then it raises ServerOverloaded where too many wait already.
    """

    def ask() -> _T:
        try:
            return question()
        finally:
            _close_connections()

    if _shares_threads.get():
        threads = _brief_threads if brief else _threads
        return await asyncio.wrap_future(threads.submit(ask))
    return await sync_to_async(ask, thread_sensitive=True)()


def _close_connections() -> None:
    """As Django does at a request's end, but for the thread of a caller in a transaction."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
