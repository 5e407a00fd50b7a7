"""What the generator is told, and what it tells: both travel as JSON, one line each."""

import base64
from array import array
from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from hdrh.histogram import HdrHistogram

LONGEST_US: Final = 60_000_000
DIGITS: Final = 3

Way = Literal["ws", "rest", "v3", "get"]
"""The WebSocket API; `/api/v1`; `/api/v3`, one order at a time; a signed GET of the plan's `path`,
which places nothing and counts as one order."""


class User(msgspec.Struct, frozen=True):
    key: str
    secret: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Orders over `connections`, in lists of `together`; half of the requests sell and half of them
    buy, all at one price and of one quantity, so that every second order trades in full.

    The connections belong to the `users` in turn. `followers` sockets watch the market meanwhile.
    """

    url: str
    """Of HTTP."""
    ports: int = 1
    """How many web processes there are, on ports from that of the URL on; each has its share of the
    connections."""
    users: list[User]
    market: str = "ETHBTC"
    price: str = "0.05"
    quantity: str = "0.01"
    seconds: float
    rate: float = 0
    """Orders a second in an open loop; 0 is a closed loop."""
    way: Way = "ws"
    path: str = "/"
    connections: int
    under_way: int = 1
    """Requests without an answer that a connection may have; further ones wait in the generator,
    and their latency counts. HTTP takes one."""
    together: int = 1
    followers: int = 0
    streams: list[str] = []
    """Of each follower: `trade`, `bookTicker`, `depth@100ms`."""

    def url_of(self, connection: int) -> str:
        address, _, port = self.url.rpartition(":")
        return f"{address}:{int(port) + connection % self.ports}"


class Told(msgspec.Struct, array_like=True):
    """One message of a stream, and when each follower had it."""

    first: int
    last: int
    """Numbers of the trade or of the changes of the book that it covers; 0 is unknown."""
    time_ms: int
    """When it happened, as a trade says it; else 0."""
    arrivals: str
    """Microseconds since the epoch, `packed`."""

    def arrivals_us(self) -> "array[int]":
        return array("q", base64.b64decode(self.arrivals))


class Report(msgspec.Struct, kw_only=True):
    answered: int
    """Orders that came back with the result of their match."""
    refused: int
    """Orders that were not placed, by their answer."""
    unknown: int
    """Orders of which nobody knows, or that had no answer in time."""
    unsent: int
    """Orders that waited in the generator until its patience was at its end."""
    sold: int
    bought: int
    """Of those answered."""
    seconds: float
    """From the first intended sending to the last answer."""
    latencies: str
    """A histogram in microseconds, encoded."""
    cpu_s: float
    """Of the processor, that the generator used in this time."""
    behind_us: int
    """How late the generator itself was at worst: the figures are worth little where it is much."""
    told: dict[str, list[Told]]
    """By stream, in the order of `last`."""
    gaps: dict[str, int]
    """By stream: how often a follower's message did not go on where its last one ended."""
    closed: int
    """Sockets of followers that ended early."""

    def received(self, stream: str) -> int:
        return sum(len(message.arrivals_us()) for message in self.told[stream])


def histogram(values_us: Iterable[int] = ()) -> HdrHistogram:
    values = HdrHistogram(1, LONGEST_US, DIGITS)
    for value in values_us:
        values.record_value(min(max(1, value), LONGEST_US))
    return values


def encoded(values: HdrHistogram) -> str:
    return base64.b64encode(values.encode()).decode()


def decoded(text: str) -> HdrHistogram:
    return HdrHistogram.decode(base64.b64decode(text))


def packed(values: "array[int]") -> str:
    return base64.b64encode(values.tobytes()).decode()
