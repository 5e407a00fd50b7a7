"""When requests are sent, and how long each took from the time at which it was to be sent."""

import asyncio
import math
import time
from array import array
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

PATIENCE_S: Final = 30.0
"""How long the last answers may take."""


def _timer_s(seconds: float) -> float:
    """Whole milliseconds, which are what the loop's timers know: it would round less than half of
    one down to none, and spin."""
    return math.ceil(seconds * 1_000) / 1_000


class Outcome(NamedTuple):
    """What became of the orders of a request."""

    placed: int
    refused: int
    unknown: int
    sells: bool


class Connection(Protocol):
    def send(self, intended: float) -> None:
        """The next request; tells the pacer `answered` with the same time."""


class Pacer:
    """An open loop of `rate` requests a second, or a closed one where that is 0, for `seconds`."""

    def __init__(self, rate: float, seconds: float, patience_s: float = PATIENCE_S) -> None:
        self._rate = rate
        self._seconds = seconds
        self._patience_s = patience_s
        self._requests = int(rate * seconds)
        self._due = 0
        """Requests whose time has come."""
        self._places: deque[Connection] = deque()
        self._waiting: deque[float] = deque()
        """Intended times of those that found no place."""
        self._under_way: set[float] = set()
        """Intended times of those that have no answer yet."""
        self._done = asyncio.Event()
        self.started = 0.0
        self.last = 0.0
        self.behind_s = 0.0
        self.placed = self.refused = self.unknown = self.sold = 0
        self.unanswered = self.unsent = 0
        """Requests, when patience was at its end."""
        self.latencies_us = array("q")

    async def run(self, connections: Sequence[Connection], under_way: int) -> None:
        """Returns after the last answer, or when patience is at its end: what has no answer then
        has waited for at least as long, and counts so."""
        for _ in range(under_way):
            self._places.extend(connections)
        self.started = self.last = time.perf_counter()
        if self._rate:
            self._pace()
        else:
            while self._places:
                self._send(self._places.popleft(), time.perf_counter())
        try:
            await asyncio.wait_for(self._done.wait(), self._seconds + self._patience_s)
        except TimeoutError:
            self._give_up()

    def _give_up(self) -> None:
        self.last = now = time.perf_counter()
        for intended in (*self._under_way, *self._waiting):
            self.latencies_us.append(round((now - intended) * 1_000_000))
        self.unanswered, self.unsent = len(self._under_way), len(self._waiting)
        self._done.set()

    def _pace(self) -> None:
        """Send what is due by now, and come again when the next one is."""
        now = time.perf_counter()
        while self._due < self._requests:
            intended = self.started + self._due / self._rate
            if intended > now:
                asyncio.get_running_loop().call_later(_timer_s(intended - now), self._pace)
                return
            self._due += 1
            self.behind_s = max(self.behind_s, now - intended)
            if self._places:
                self._send(self._places.popleft(), intended)
            else:
                self._waiting.append(intended)

    def _send(self, connection: Connection, intended: float) -> None:
        self._under_way.add(intended)
        connection.send(intended)

    def answered(self, connection: Connection, intended: float, outcome: Outcome) -> None:
        if self._done.is_set():
            return
        self.last = now = time.perf_counter()
        self.latencies_us.append(round((now - intended) * 1_000_000))
        self.placed += outcome.placed
        self.refused += outcome.refused
        self.unknown += outcome.unknown
        if outcome.sells:
            self.sold += outcome.placed
        self._under_way.discard(intended)
        if self._waiting:
            self._send(connection, self._waiting.popleft())
        elif not self._rate and now < self.started + self._seconds:
            self._send(connection, now)
        else:
            self._places.append(connection)
            if not self._under_way and self._due == self._requests:
                self._done.set()
