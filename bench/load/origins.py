"""When it was that a message's content happened, and what should have been told: by the journal.

A trade says its time itself. A change of the book does not, and neither do best prices; their
numbers lead to the entry of the journal that brought them, whose time is the `transactTime` of the
answer. Times are milliseconds, cut off, so that a latency is up to one too long.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import redis
from hdrh.histogram import HdrHistogram

from bench.load.plan import Report, Told, histogram
from engine.core.events import DepthChanged, Event, Traded
from engine.core.types import BUY
from engine.journal import read_all_after

INTERVAL_MS: Final = 100

Best = tuple[int, int, int, int]
"""Bid price, bid quantity, ask price, ask quantity; zeros for an empty side."""


class Change(NamedTuple):
    time_ms: int
    best: Best
    """From it on."""


class MarketPast:
    """One market's trades and changes of the book, from its beginning: after the journal's entry
    `after`, for what was before it may be trimmed."""

    def __init__(self, market: str, *, after: int = 0) -> None:
        self._market = market
        self._sequence = after
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self.changes: dict[int, Change] = {}
        """By number; they count from 1 without a gap."""
        self.trades = 0
        """As many; their ids count from 1 without a gap."""

    def read(self, connection: "redis.Redis") -> None:
        """Go on to what is the end now."""
        for entry in read_all_after(connection, self._sequence):
            assert entry.sequence == self._sequence + 1, "the journal was trimmed: run for less"
            self._sequence = entry.sequence
            for events in entry.decode_events():
                self.apply(events, entry.time)

    def apply(self, events: Iterable[Event], time_ms: int) -> None:
        for event in events:
            if isinstance(event, DepthChanged) and event.market == self._market:
                self._change(event, time_ms)
            elif isinstance(event, Traded) and event.market == self._market:
                self.trades += 1

    def _change(self, event: DepthChanged, time_ms: int) -> None:
        side = self._bids if event.side is BUY else self._asks
        if event.quantity:
            side[event.price] = event.quantity
        else:
            del side[event.price]
        bid, ask = max(self._bids, default=0), min(self._asks, default=0)
        best = (bid, self._bids.get(bid, 0), ask, self._asks.get(ask, 0))
        self.changes[event.number] = Change(time_ms, best)

    def wrong_since(self, told: int, number: int) -> int:
        """From when on the best prices as of change `told` were not those as of `number`."""
        best = self.changes[told].best
        while number - 1 > told and self.changes[number - 1].best != best:
            number -= 1
        return self.changes[number].time_ms


def latencies(report: Report, past: MarketPast) -> dict[str, HdrHistogram]:
    """By stream, in microseconds, of every message at every follower.

    A trade counts from its time; a depth update from the end of the interval in which its first
    change fell; best prices from when those that were told before were no longer true.
    """
    return {
        stream: histogram(_latencies_us(_origins(stream, told, past)))
        for stream, told in report.told.items()
    }


def _origins(stream: str, told: list[Told], past: MarketPast) -> Iterator[tuple[Told, int]]:
    """Messages, with milliseconds since the epoch."""
    if stream == "trade":
        yield from ((message, message.time_ms) for message in told)
    elif stream == "bookTicker":
        for before, message in pairwise(told):
            yield message, past.wrong_since(before.last, message.last)
    else:
        for message in told:
            yield message, end_of_interval(past.changes[message.first].time_ms)


def end_of_interval(time_ms: int) -> int:
    return time_ms - time_ms % INTERVAL_MS + INTERVAL_MS


def _latencies_us(origins: Iterable[tuple[Told, int]]) -> Iterator[int]:
    for message, origin_ms in origins:
        for arrival_us in message.arrivals_us():
            yield arrival_us - origin_ms * 1_000


def missing(told: list[Told], followers: int, first: int, last: int) -> int:
    """How many messages about trades, or changes of the book, `first` to `last` did not come: one
    for each follower and each message that others had, and for each number that none had."""
    covered = sum(message.last - message.first + 1 for message in told)
    had = sum(len(message.arrivals_us()) for message in told)
    return followers * len(told) - had + followers * (last - first + 1 - covered)
