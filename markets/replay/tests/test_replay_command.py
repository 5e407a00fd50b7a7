"""`manage.py replay`, against a whole running exchange."""

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from exchange_site.tests.processes import wait_until
from markets.tests.native import NativeClient, order
from markets.venues.tests.recordings import WHOLE, excerpt, needs_whole

SPAN_S = 4.07
"""Between the receive times of the excerpt's first and last frame."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "excerpt.gz"
    path.write_bytes(gzip.compress(b"".join(excerpt())))
    return path


def recorded_book(lines: list[bytes]) -> dict[str, list[list[float]]]:
    """The last best 20 levels a side, in the plainest way: quantities by price."""
    frames = [json.loads(line.split(b" ", 1)[1]) for line in lines]
    (snapshot,) = [frame for frame in frames if "lastUpdateId" in frame]
    diffs = [frame["data"] for frame in frames if "@depth" in frame.get("stream", "")]
    book = {
        side: {float(price): float(quantity) for price, quantity in snapshot[side]}
        for side in ("bids", "asks")
    }
    for diff in diffs:
        if diff["u"] > snapshot["lastUpdateId"]:
            for side in book:
                book[side] |= {float(price): float(quantity) for price, quantity in diff[side[0]]}
    return {
        side: [
            [price, levels[price]]
            for price in sorted(levels, reverse=side == "bids")
            if levels[price]
        ][:20]
        for side, levels in book.items()
    }


def book_of(exchange: Any, symbol: str) -> dict[str, list[list[float]]]:
    depth = httpx.get(f"{exchange.url}/api/v1/depth?symbol={symbol}&limit=20", timeout=20).json()
    return {
        side: [[float(price), float(quantity)] for price, quantity in depth[side]]
        for side in ("bids", "asks")
    }


def assert_book_is_recorded(exchange: Any, symbol: str) -> None:
    recorded = recorded_book(excerpt())
    wait_until(lambda: book_of(exchange, symbol) == recorded, "the published book is the recorded")


def assert_sums_are_zero(exchange: Any) -> None:
    assert {float(asset["sum"]) for asset in exchange.state()["assets"].values()} == {0}


def test_the_book_is_the_recorded_one(exchange: Any, recording: Path) -> None:
    out = exchange.manage("replay", str(recording))
    (line,) = out.splitlines()
    result = json.loads(line)
    assert result["symbol"] == "BTCUSDTR"
    assert (result["frames"], result["prints"]) == (600, 89)
    assert result["mismatched_levels"] == 0
    last = [line for line in excerpt() if b"@depth" in line][-1]
    assert f'"u":{result["last_update_id"]},'.encode() in last
    assert result["orders"] > result["cancels"] > 0
    assert result["fills"] > 0
    assert result["seconds"] > 0
    assert result["orders_per_second"] > 0
    assert_book_is_recorded(exchange, "BTCUSDTR")
    assert_sums_are_zero(exchange)


def test_again_into_the_same_market(exchange: Any, recording: Path) -> None:
    first, second = (
        json.loads(exchange.manage("replay", str(recording), "--into", "REPLAYAGAIN"))
        for _ in range(2)
    )
    assert second["mismatched_levels"] == 0
    assert second["orders"] == first["orders"]
    assert_book_is_recorded(exchange, "REPLAYAGAIN")


def test_a_market_with_orders_of_others_is_refused(exchange: Any, recording: Path) -> None:
    exchange.manage("replay", str(recording), "--into", "REPLAYSHARED")
    someone = NativeClient(exchange.url, exchange.create_user("replay-guest", {"USDT": "100"}))
    terms = order(symbol="REPLAYSHARED", price="10", quantity="1", type="limit")
    placed = someone.post("/order", terms)
    assert placed.status_code == 200, placed.text
    with pytest.raises(AssertionError, match="REPLAYSHARED holds orders of other accounts"):
        exchange.manage("replay", str(recording), "--into", "REPLAYSHARED")
    still = someone.get("/order", symbol="REPLAYSHARED", order_id=placed.json()["order_id"])
    assert still.json()["status"] == "new"


def test_a_market_of_other_assets_is_refused(exchange: Any, recording: Path) -> None:
    with pytest.raises(AssertionError, match="SOLUSDT trades other assets"):
        exchange.manage("replay", str(recording), "--into", "SOLUSDT")


def test_at_a_multiple_of_real_time(exchange: Any, recording: Path) -> None:
    arguments = ("--into", "REPLAYPACED", "--speed", "5")
    result = json.loads(exchange.manage("replay", str(recording), *arguments))
    assert result["seconds"] >= SPAN_S / 5
    assert result["mismatched_levels"] == 0


def test_a_market_that_is_not_here_is_refused(exchange: Any, tmp_path: Path) -> None:
    path = tmp_path / "unknown.gz"
    path.write_bytes(gzip.compress(b"".join(excerpt()).replace(b'"BTCUSDT"', b'"DOGEUSDT"')))
    with pytest.raises(AssertionError, match="no market DOGEUSDT"):
        exchange.manage("replay", str(path))


@needs_whole
def test_the_whole_recording(exchange: Any) -> None:
    result = json.loads(exchange.manage("replay", WHOLE, "--into", "REPLAYWHOLE"))
    assert (result["frames"], result["prints"]) == (41_249, 9_757)
    assert result["mismatched_levels"] == 0
    assert_sums_are_zero(exchange)


def test_bad_files(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(excerpt()))
    for content, why in [
        (None, "No such file"),
        (b"1 {}\n", "Not a gzipped file"),
        (whole[:9], "end-of-stream"),
        (gzip.compress(b""), "no frame names a market"),
        (gzip.compress(b"hello\n"), "line 1"),
    ]:
        path = tmp_path / "recording.gz"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CommandError, match=why):
            call_command("replay", str(path))


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_bad_speeds(speed: str) -> None:
    with pytest.raises(CommandError, match="positive number"):
        call_command("replay", "any.gz", "--speed", speed)
