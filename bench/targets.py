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

    def reached(self, value: float) -> float:
        """How many times as good as asked for: 1 and more reach it."""
        if self.at_least is not None:
            return value / self.bound
        return self.bound / value if value else float("inf")

    def __str__(self) -> str:
        return f"{'≥' if self.at_least is not None else '≤'} {self.bound:,g} {self.unit}"


_LISTS: Final = "ws: orders in lists of 20, as fast as it goes"
_LISTS_P99: Final = "ws: p99 of orders in lists of 20, from the intended sending to the answer"
_SINGLE: Final = "ws: orders one by one, as fast as it goes"
_SINGLE_P99: Final = "ws: p99 of orders one by one, from the intended sending to the answer"
_REST: Final = "rest: orders one by one, as fast as it goes"
_REST_MEDIAN: Final = "rest: median of orders one by one at 8 connections, as fast as it goes"
_REST_SHARE: Final = "rest: rate of orders one by one to that of an empty authenticated view"
_REST_LISTS: Final = "rest: orders in lists of 20, as fast as it goes"
_LATENCY: Final = "latency: p99 from an order's intended sending to its answer"
_STREAMS: Final = "streams: p99 of depth@100ms at 1000 sockets"

TARGETS: Final = (
    Target("core", "messages/s", at_least=250_000),
    Target("engine", "orders/s", at_least=150_000),
    Target("projector", "orders/s", at_least=10_000),
    Target(_LISTS, "orders/s", at_least=10_000),
    Target(_LISTS_P99, "ms", at_most=50),
    Target(_SINGLE, "orders/s", at_least=4_000),
    Target(_SINGLE_P99, "ms", at_most=50),
    Target(_REST, "orders/s", at_least=600),
    Target(_REST_MEDIAN, "ms", at_most=20),
    Target(_REST_SHARE, "ratio", at_least=0.6),
    Target(_REST_LISTS, "orders/s", at_least=5_000),
    Target(_LATENCY, "ms", field="events_ms.trade.p50", at_most=10),
    Target(_LATENCY, "ms", field="events_ms.trade.p99", at_most=50),
    Target(_LATENCY, "ms", field="events_ms.bookTicker.p50", at_most=10),
    Target(_LATENCY, "ms", field="events_ms.bookTicker.p99", at_most=50),
    Target(_LATENCY, "ms", field="events_ms.depth@100ms.p50", at_most=10),
    Target(_LATENCY, "ms", field="events_ms.depth@100ms.p99", at_most=50),
    Target(_STREAMS, "ms", at_most=100),
    Target(
        "takeover: median from kill -9 of the leader to the first acknowledged order",
        *("s", "max"),
        at_most=2,
    ),
    Target("recovery", "s", at_most=15),
)
