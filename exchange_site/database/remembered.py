"""Rows that trading needs, remembered: trading goes on while the database does not answer.

Whoever asks waits for the database for a second at most, also where it hangs in a way that no
timeout of a connection covers. What was read before then serves for some minutes.
"""

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Final, Generic, NamedTuple, TypeVar

import psycopg
from django.db import InterfaceError, InternalError, OperationalError, connection, connections

from exchange_site.errors import CodedError
from exchange_site.threads import MAX_WAITING, ServerOverloaded, Threads

PATIENCE_S: Final = 1.0
"""How long a request waits for rows that it can do without, or must be told that there are none."""

RETRY_EVERY_S: Final = 1.0
"""In trouble, how soon the database is asked again."""

AHEAD: Final = 0.8
"""Of its time, after which what is asked for is read anew already, without that anybody waits."""

AT_HAND: Final = 0.95
"""Of its time, so that who finds it at hand need not wait for it in the next moment either."""

STALE_S: Final = 300.0
"""How old what was read may be when the database does not answer."""

MAX_ENTRIES: Final = 10_000
MAX_LOADING: Final = 100

THREADS: Final = 8
"""Where the database hangs for hours, each of them does; what waits for one is bounded."""

TROUBLE: Final = (OperationalError, InterfaceError, InternalError, psycopg.OperationalError)
"""The database, not the question, is at fault (PoolTimeout is an OperationalError)."""

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")
_T = TypeVar("_T")

logger = logging.getLogger(__name__)
_threads: Final = Threads(THREADS, "database", max_waiting=MAX_WAITING)


class DatabaseUnavailable(CodedError):
    def __init__(self) -> None:
        super().__init__("DATABASE_UNAVAILABLE")


def in_background(question: Callable[[], _T]) -> "Future[_T]":
    """Ask on a thread and a connection of its own, which nobody has to wait for.

    Raises DatabaseUnavailable where too many questions are without an answer already.
    """

    def ask() -> _T:
        try:
            return question()
        finally:
            connection.close()

    try:
        return _threads.submit(ask)
    except ServerOverloaded:
        raise DatabaseUnavailable from None


def ask_patiently(question: Callable[[], _T], *, patience_s: float = PATIENCE_S) -> _T:
    """The answer; raises DatabaseUnavailable where it takes too long or the database fails.

    Within a transaction the question is asked there, for it must see what was written.
    """
    if _in_transaction():
        return question()
    future = in_background(question)
    try:
        return _result(future, patience_s)
    finally:
        future.cancel()  # it need not begin, if it still waits for a thread


def _result(future: "Future[_T]", patience_s: float) -> _T:
    try:
        return future.result(patience_s)
    except FutureTimeoutError:
        raise DatabaseUnavailable from None
    except TROUBLE as error:
        raise DatabaseUnavailable from error


def _in_transaction() -> bool:
    """Without making a connection object for a thread that has none: most requests need none.

    In an event loop nobody is: Django lets no coroutine use a connection.
    """
    return not _in_event_loop() and any(
        known.in_atomic_block for known in connections.all(initialized_only=True)
    )


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Entry(NamedTuple, Generic[_V]):
    at: float
    value: _V


class Remembered(Generic[_K, _V]):
    """The `load`ed value of each key, asked for again once it is older than `fresh_s`.

    All who ask for a key at once share one question. None is a value too, but never a stale one:
    what was missing may be there by now.
    """

    def __init__(self, load: Callable[[_K], _V], *, fresh_s: float = 1.0) -> None:
        self._load = load
        self._fresh_s = fresh_s
        self._found: OrderedDict[_K, _Entry[_V]] = OrderedDict()
        # Apart, so that asking for nonsense drives nothing out that is needed.
        self._missing: dict[_K, float] = {}
        self._loading: dict[_K, Future[_V]] = {}
        self._lock = threading.Lock()
        self._in_trouble = False
        self._retry_at = float("-inf")

    def get(self, key: _K, *, fresh_s: float | None = None) -> _V:
        """Raises DatabaseUnavailable where the database does not answer and nothing is known."""
        if _in_transaction():
            return self._load(key)
        fresh_s = self._fresh_s if fresh_s is None else fresh_s
        now = time.monotonic()
        entry = self._found.get(key)
        if entry is not None and now - entry.at <= fresh_s:
            if now - entry.at > AHEAD * fresh_s and key not in self._loading:
                self._ask_ahead(key, now)
            return entry.value
        if now - self._missing.get(key, float("-inf")) <= fresh_s:
            return None  # type: ignore[return-value] # only a value of type None is put there
        usable = entry is not None and now - entry.at <= STALE_S
        if usable and self._in_trouble and (now < self._retry_at or key in self._loading):
            assert entry is not None
            return entry.value
        try:
            future = self._ask(key, now)
            # In trouble somebody has to find out when it is over, but nobody has to wait for it.
            return _result(future, 0 if usable and self._in_trouble else PATIENCE_S)
        except DatabaseUnavailable as error:
            self._note_trouble(error.__cause__)
            if not usable:
                raise
            assert entry is not None
            return entry.value

    def at_hand(self, key: _K) -> _V | None:
        """What `get` would answer from memory, else None: so may one ask who must not wait. To be
        asked outside of transactions."""
        entry = self._found.get(key)
        if entry is None:
            return None
        now = time.monotonic()
        age_s = now - entry.at
        if age_s > (STALE_S if self._in_trouble else AT_HAND * self._fresh_s):
            return None
        if age_s > AHEAD * self._fresh_s and key not in self._loading:
            self._ask_ahead(key, now)
        return entry.value

    def last_known(self, key: _K) -> _V | None:
        """What was there within the last minutes: for what hardly changes, where nobody may wait.
        It is read anew for the next one."""
        entry = self._found.get(key)
        if entry is None:
            return None
        now = time.monotonic()
        age_s = now - entry.at
        if age_s > STALE_S:
            return None
        if age_s > AHEAD * self._fresh_s and key not in self._loading:
            self._ask_ahead(key, now)
        return entry.value

    def knows(self, key: _K) -> bool:
        """Whether it was there within the last minutes; asks nobody."""
        entry = self._found.get(key)
        return entry is not None and time.monotonic() - entry.at <= STALE_S

    def forget(self, key: _K) -> None:
        with self._lock:
            self._found.pop(key, None)
            self._missing.pop(key, None)
            self._loading.pop(key, None)  # its answer may be from before

    def _ask_ahead(self, key: _K, now: float) -> None:
        """Who asks in an event loop finds it at hand then, too."""
        if self._in_trouble and now < self._retry_at:
            return
        with suppress(DatabaseUnavailable):
            self._ask(key, now)

    def _ask(self, key: _K, now: float) -> "Future[_V]":
        """The question under way, or a new one."""
        with self._lock:
            future = self._loading.get(key)
            if future is not None:
                return future
            if len(self._loading) >= MAX_LOADING:
                raise DatabaseUnavailable
            self._retry_at = now + RETRY_EVERY_S
            future = self._loading[key] = in_background(lambda: self._load(key))
        # Outside of the lock: where it is done already, this thread calls it now.
        future.add_done_callback(lambda done: self._keep(key, now, done))
        return future

    def _keep(self, key: _K, asked_at: float, done: "Future[_V]") -> None:
        with self._lock:
            if self._loading.get(key) is not done:
                return
            del self._loading[key]
            error = done.exception()
            if error is not None:
                if isinstance(error, TROUBLE):
                    self._note_trouble(error)
                return
            self._in_trouble = False
            value = done.result()
            if value is None:
                self._found.pop(key, None)
                if len(self._missing) >= MAX_ENTRIES:
                    self._missing.clear()
                self._missing[key] = asked_at
                return
            self._missing.pop(key, None)
            self._found[key] = _Entry(asked_at, value)
            self._found.move_to_end(key)
            if len(self._found) > MAX_ENTRIES:
                self._found.popitem(last=False)

    def _note_trouble(self, error: BaseException | None) -> None:
        if not self._in_trouble:
            logger.warning("the database does not answer: %s", error or "no answer yet")
        self._in_trouble = True
