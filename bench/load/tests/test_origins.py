"""When messages' contents happened, and which messages are missing."""

from array import array

import pytest

from bench.load.origins import MarketPast, end_of_interval, missing
from bench.load.plan import Told, packed
from engine.core.events import DepthChanged
from engine.core.types import BUY, SELL, Side


def past(*changes: tuple[int, Side, int, int]) -> MarketPast:
    """Of changes `(time, side, price, quantity)`, numbered from 1."""
    found = MarketPast("ETHBTC")
    for number, (time_ms, side, price, quantity) in enumerate(changes, start=1):
        found.apply([DepthChanged("ETHBTC", number, side, price, quantity)], time_ms)
    return found


def told(first: int, last: int, arrivals: int) -> Told:
    return Told(first, last, 0, packed(array("q", range(arrivals))))


def test_best_prices_are_wrong_from_the_first_change_that_was_not_told() -> None:
    market = past(
        (1, SELL, 50, 7),
        (2, SELL, 50, 9),
        (3, SELL, 60, 1),  # behind the best
        (4, SELL, 50, 7),  # as it was at 1
        (5, SELL, 50, 0),
        (6, BUY, 40, 2),
    )

    assert market.changes[5].best == (0, 0, 60, 1)
    assert market.wrong_since(1, 2) == 2
    assert market.wrong_since(1, 3) == 2
    assert market.wrong_since(1, 5) == 5
    assert market.wrong_since(2, 6) == 4


@pytest.mark.parametrize(("time_ms", "end_ms"), [(1_000, 1_100), (1_001, 1_100), (1_099, 1_100)])
def test_a_change_waits_for_the_end_of_its_interval(time_ms: int, end_ms: int) -> None:
    assert end_of_interval(time_ms) == end_ms


@pytest.mark.parametrize(
    ("messages", "lost"),
    [
        ([told(4, 6, 3), told(7, 9, 3)], 0),
        ([told(4, 6, 3), told(7, 9, 2)], 1),
        ([told(4, 6, 3), told(8, 9, 3)], 3),  # number 7 came to none of three
        ([told(4, 6, 3)], 9),
        ([], 18),
    ],
)
def test_what_did_not_come_to_all_is_missing(messages: list[Told], lost: int) -> None:
    assert missing(messages, 3, 4, 9) == lost
