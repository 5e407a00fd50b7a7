"""Lines of a recording as frames."""

import pytest

from markets.venues.binance import BookTicker, DepthDiff, DepthSnapshot, TradePrint
from markets.venues.recording import RecordingError, read_recording
from markets.venues.tests.recordings import excerpt


def test_the_excerpt_is_read_completely() -> None:
    frames = [recorded.frame for recorded in read_recording(excerpt())]
    assert len(frames) == 600
    kinds = {kind: sum(isinstance(f, kind) for f in frames) for kind in (DepthDiff, TradePrint)}
    assert kinds == {DepthDiff: 41, TradePrint: 89}
    assert sum(isinstance(frame, DepthSnapshot) for frame in frames) == 1


def test_what_the_frames_say() -> None:
    recorded = list(read_recording(excerpt()))
    assert recorded[0].received_at_ns == 1723161253937085768
    diff, ticker, trade = recorded[1].frame, recorded[2].frame, recorded[3].frame
    assert isinstance(diff, DepthDiff)
    assert (diff.first_id, diff.last_id) == (50093239203, 50093239207)
    assert diff.bids == [("55653.87000000", "0.00000000")]
    assert isinstance(ticker, BookTicker)
    assert (ticker.bid_quantity, ticker.ask_price) == ("3.78826000", "61837.64000000")
    assert trade == TradePrint(
        symbol="BTCUSDT",
        trade_id=3735683259,
        price="61837.63000000",
        quantity="0.02000000",
        trade_time=1723161255342,
        buyer_is_maker=True,
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"1723161253937085768",
        b"soon " + b'{"stream":"btcusdt@trade","data":{}}',
        b"1 {",
        b"1 {}",
        b"1 []",
        b"1 \xff",
        b'1 {"stream":"btcusdt@trade","data":{}}',
        b'1 {"stream":"btcusdt@trade"}',
        b'1 {"stream":"btcusdt@kline_1m","data":{}}',
        b'1 {"lastUpdateId":"1","bids":[],"asks":[]}',
    ],
)
def test_a_bad_line_is_named(line: bytes) -> None:
    with pytest.raises(RecordingError, match="line 2: "):
        list(read_recording([excerpt()[0], line]))
