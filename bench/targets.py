"""What the figures are to reach, on two cores with generator, servers and databases together."""

from typing import Final

import msgspec


class Target(msgspec.Struct, frozen=True):
    """`figure` is the name of a result: its bench, and after a colon its `what`. `field` is the
    number in it that is meant, with dots through its details.

    One of `at_least` and `at_most` is set, in `unit`.
    """

    figure: str
    unit: str
    field: str = "value"
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bound(self) -> float:
        bound = self.at_least if self.at_least is not None else self.at_most
        assert bound is not None
        return bound

    def is_reached(self, value: float) -> bool:
        return value >= self.bound if self.at_least is not None else value <= self.bound

    def distance(self, value: float) -> str:
        """By how much it is reached or missed, in words."""
        if self.is_reached(value):
            return "reached" if not self.bound else f"reached, at {value / self.bound:.0%} of it"
        if not self.bound:
            return f"missed by {value:,g}"
        if self.at_least is not None:
            return f"missed, at {value / self.bound:.0%} of it"
        return f"missed, {value / self.bound:.3g} times as much"

    def __str__(self) -> str:
        return f"{'≥' if self.at_least is not None else '≤'} {self.bound:,g} {self.unit}"


_LISTS: Final = "ws: orders in lists of 20, as fast as it goes"
_LISTS_P99: Final = "ws: p99 of orders in lists of 20, from the intended sending to the answer"
_LISTS_PROMPT: Final = "ws: orders in lists of 20 with p99 under 50 ms"
_SINGLE_PROMPT: Final = "ws: orders one by one with p99 under 50 ms"
_SINGLE: Final = "ws: orders one by one, as fast as it goes"
_SINGLE_P99: Final = "ws: p99 of orders one by one, from the intended sending to the answer"
_REST: Final = "rest: orders one by one, as fast as it goes"
_REST_MEDIAN: Final = "rest: median of orders one by one at 8 connections, as fast as it goes"
_REST_SHARE: Final = "rest: rate of orders one by one to that of an empty authenticated view"
_REST_LISTS: Final = "rest: orders in lists of 20, as fast as it goes"
_TRADE: Final = "latency: p99 from an order's acceptance to its trade at a subscriber"
_TICKER: Final = "latency: p99 from an order's acceptance to its book ticker at a subscriber"
_DEPTH: Final = "latency: p99 from the end of its interval to the depth at a subscriber"
_CROWD_TRADES: Final = "streams: p99 of trades, from their time, at 1000 sockets"
_CROWD_DEPTH: Final = "streams: p99 of depth, from its interval's end, at 1000 sockets"
_LAG: Final = "soak: that the projector was behind, at most"
_TAKEOVER: Final = "takeover: median from kill -9 of the leader to the first acknowledged order"

TARGETS: Final = (
    Target("core", "messages/s", at_least=250_000),
    Target("engine", "orders/s", at_least=150_000),
    Target("projector", "orders/s", at_least=10_000),
    Target(_LISTS, "orders/s", at_least=10_000),
    Target(_LISTS_P99, "ms", at_most=50),
    Target(_LISTS_PROMPT, "orders/s", at_least=10_000),
    Target(_SINGLE, "orders/s", at_least=4_000),
    Target(_SINGLE_P99, "ms", at_most=50),
    Target(_SINGLE_PROMPT, "orders/s", at_least=4_000),
    Target(_REST, "orders/s", at_least=600),
    Target(_REST_MEDIAN, "ms", at_most=20),
    Target(_REST_SHARE, "ratio", at_least=0.6),
    Target(_REST_LISTS, "orders/s", at_least=5_000),
    Target(_TRADE, "ms", at_most=50),
    Target(_TRADE, "ms", field="event_ms.p50", at_most=10),
    Target(_TICKER, "ms", at_most=50),
    Target(_TICKER, "ms", field="event_ms.p50", at_most=10),
    Target(_DEPTH, "ms", at_most=50),
    Target(_DEPTH, "ms", field="event_ms.p50", at_most=10),
    Target(_CROWD_TRADES, "ms", at_most=100),
    Target(_CROWD_TRADES, "messages", field="missing", at_most=0),
    Target(_CROWD_DEPTH, "ms", at_most=100),
    Target(_LAG, "ms", at_most=5_000),
    Target(_TAKEOVER, "s", field="max", at_most=2),
    Target("recovery", "s", at_most=15),
)
