"""What the generator is told, and what it tells: both travel as JSON, one line each."""

import base64
from collections.abc import Iterator
from typing import Final

import msgspec
from hdrh.histogram import HdrHistogram

LONGEST_US: Final = 60_000_000
DIGITS: Final = 3


class User(msgspec.Struct, frozen=True):
    key: str
    secret: str


class Plan(msgspec.Struct, frozen=True):
    """`rate` orders a second for `seconds`, spread over `sessions` sockets of the WebSocket API, in
    lists of `together`; odd orders sell and even ones buy at one price, so that every second one
    trades. `followers` sockets watch the market meanwhile."""

    url: str
    users: list[User]
    market: str
    price: str
    quantity: str
    rate: float
    seconds: float
    sessions: int
    together: int = 1
    followers: int = 0
    streams: list[str] = []
    """Of each follower: `trade`, `bookTicker`, `depth@100ms`."""


class Report(msgspec.Struct):
    """Histograms are in microseconds, encoded."""

    answered: int
    refused: int
    seconds: float
    """From the first intended sending to the last answer."""
    latencies: str
    events: dict[str, str]
    """By stream: from the event's own time to its arrival; depth from the end of its interval."""
    received: dict[str, int]
    behind_us: int
    """How late the generator itself was at worst: the figures are worth little where it is much."""


def histogram() -> HdrHistogram:
    return HdrHistogram(1, LONGEST_US, DIGITS)


def encoded(values: HdrHistogram) -> str:
    return base64.b64encode(values.encode()).decode()


def decoded(text: str) -> HdrHistogram:
    return HdrHistogram.decode(base64.b64decode(text))


def times_of(rate: float, count: int) -> Iterator[float]:
    """Seconds after the start at which each of `count` requests is to be sent."""
    return (number / rate for number in range(count))
