"""A copy of a venue's book: Binance's rules for snapshot and diffs."""

import pytest

from engine.core.types import BUY, SELL
from markets.venues.amounts import Scales
from markets.venues.binance import BookTicker, DepthDiff, DepthSnapshot, Level
from markets.venues.depth_book import MAX_WAITING, BookCrossed, DepthBook, DepthGap, LevelKey
from markets.venues.recording import read_recording
from markets.venues.tests.recordings import excerpt

SNAPSHOT = DepthSnapshot(10, bids=[("9", "1"), ("8", "2")], asks=[("11", "3")])


def diff(
    first: int, last: int, bids: list[Level] | None = None, asks: list[Level] | None = None
) -> DepthDiff:
    return DepthDiff(0, "ABCUSD", first, last, bids or [], asks or [])


def book(*frames: DepthDiff | DepthSnapshot) -> DepthBook:
    book = DepthBook(Scales(base=0, quote=0))
    for frame in frames:
        book.take(frame)
    return book


@pytest.mark.parametrize(
    ("frames", "last", "best_bid"),
    [
        ([SNAPSHOT], 10, (9, 1)),
        ([diff(3, 10, [("9", "7")]), SNAPSHOT], 10, (9, 1)),  # covered by the snapshot
        ([diff(3, 11, [("9", "7")]), SNAPSHOT], 11, (9, 7)),  # reaches beyond it
        ([diff(3, 8), diff(9, 12, [("9", "7")]), SNAPSHOT], 12, (9, 7)),
        ([SNAPSHOT, diff(4, 9, [("9", "7")])], 10, (9, 1)),
        ([SNAPSHOT, diff(8, 12, [("9", "7")])], 12, (9, 7)),
        ([SNAPSHOT, diff(11, 12, [("9", "0")])], 12, (8, 2)),
        ([SNAPSHOT, diff(11, 12, [("5", "0")])], 12, (9, 1)),  # was never known
        ([SNAPSHOT, diff(11, 12), diff(13, 13, [("10", "4")])], 13, (10, 4)),
        ([SNAPSHOT, diff(11, 12, [("9", "7")]), SNAPSHOT], 12, (9, 7)),  # late
        ([SNAPSHOT, DepthSnapshot(20, [("4", "4")], [])], 20, (4, 4)),
    ],
)
def test_rules(
    frames: list[DepthDiff | DepthSnapshot], last: int, best_bid: tuple[int, int]
) -> None:
    copy = book(*frames)
    assert copy.last_update_id == last
    assert copy.best(1)[0] == [best_bid]


@pytest.mark.parametrize(
    "frames",
    [
        [SNAPSHOT, diff(12, 13)],
        [SNAPSHOT, diff(11, 11), diff(13, 13)],
        [diff(12, 13), SNAPSHOT],
        [diff(n, n) for n in range(MAX_WAITING + 1)],
    ],
)
def test_a_gap_is_an_error(frames: list[DepthDiff | DepthSnapshot]) -> None:
    with pytest.raises(DepthGap):
        book(*frames)


def test_a_crossed_book_is_an_error() -> None:
    with pytest.raises(BookCrossed):
        book(SNAPSHOT, diff(11, 11, bids=[("11", "1")]))


def test_what_changed_is_told() -> None:
    copy = DepthBook(Scales(0, 0))
    assert copy.take(diff(11, 11, asks=[("12", "1")])) == set()
    assert copy.take(SNAPSHOT) == {
        LevelKey(BUY, 9), LevelKey(BUY, 8), LevelKey(SELL, 11), LevelKey(SELL, 12),
    }  # fmt: skip
    assert copy.take(diff(12, 12, bids=[("9", "0")])) == {LevelKey(BUY, 9)}
    assert copy.quantity(LevelKey(BUY, 9)) == 0
    assert copy.quantity(LevelKey(SELL, 12)) == 1
    assert copy.take(DepthSnapshot(30, [], [("11", "3")])) == {
        LevelKey(BUY, 8), LevelKey(SELL, 11), LevelKey(SELL, 12),
    }  # fmt: skip


def test_the_book_tickers_of_the_excerpt_agree() -> None:
    """Where both speak of the same update: the venue itself says what its best levels are."""
    scales = Scales(8, 8)
    tickers: dict[int | None, BookTicker] = {}
    copy, compared = DepthBook(scales), 0
    for _, frame in read_recording(excerpt()):
        if isinstance(frame, DepthDiff | DepthSnapshot):
            copy.take(frame)
            if ticker := tickers.get(copy.last_update_id):
                compared += 1
                (bid,), (ask,) = copy.best(1)
                assert bid == (scales.price(ticker.bid_price), scales.quantity(ticker.bid_quantity))
                assert ask == (scales.price(ticker.ask_price), scales.quantity(ticker.ask_quantity))
        elif isinstance(frame, BookTicker):
            tickers[frame.update_id] = frame
    assert compared
