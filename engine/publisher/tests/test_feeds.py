"""From journal entries to frames, without Redis or a clock."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.events import BalanceChanged, Deposited, OrderUpdated, Traded
from engine.core.tests.exchange import ALICE, BOB
from engine.core.types import SELL
from engine.intervals import DAY, MINUTE, Interval
from engine.publisher.candles import LiveCandles
from engine.publisher.feeds import Feeds, Frame, JournalGap
from engine.publisher.frames import percent, wire_amount
from engine.publisher.statistics import DayWindow
from engine.publisher.streams import group_of, public_stream
from engine.publisher.tests.journal import (
    START_MS,
    SYMBOL,
    Follower,
    JournalledExchange,
    entries_of,
    random_exchange,
    take_frames,
    wire_book,
)
from markets.candles import candles_of
from markets.tests.prints import prints

ALL = frozenset({100, 1000})
SPEEDS = st.sampled_from([frozenset(), frozenset({100}), ALL])


@given(st.integers(0, 10**6), st.data())
def test_every_stream_is_whole_whatever_the_steps(seed: int, data: st.DataObject) -> None:
    chance = Random(seed)
    exchange = random_exchange(seed, orders=40)
    feeds, follower = Feeds(), Follower()
    waiting = entries_of(exchange, chance)
    while waiting:
        taken = data.draw(st.integers(1, 8))
        for entry in waiting[:taken]:
            feeds.apply(entry)
        del waiting[:taken]
        for frame in take_frames(feeds, START_MS, data.draw(SPEEDS)):
            follower.take(frame)
    for frame in take_frames(feeds, START_MS, ALL):
        follower.take(frame)
    for speed in ("", "@100ms"):
        assert follower.books.get(f"{SYMBOL}@depth{speed}", ({}, {})) == wire_book(exchange)
    trades = exchange.of_kind(Traded)
    told = follower.texts.get(f"{SYMBOL}@trade", [])
    assert [t["t"] for t in told] == [trade.trade_id for trade in trades]
    for account in (ALICE, BOB):
        assert_account_is_whole(exchange, follower.texts[f"user-{account}"], account)
    assert not take_frames(feeds, START_MS, ALL), "nothing is told twice"


def assert_account_is_whole(exchange: JournalledExchange, told: list[Any], account: int) -> None:
    orders = [e for e in exchange.of_kind(OrderUpdated) if e.order.terms.account == account]
    reports = [event for event in told if event["e"] == "executionReport"]
    assert [r["number"] for r in reports] == [e.number for e in orders]
    assert [r["X"] for r in reports] == [e.order.status.value.upper() for e in orders]
    assert [r["w"] for r in reports] == [r["X"] in {"NEW", "PARTIALLY_FILLED"} for r in reports]
    deposits = [e for e in exchange.of_kind(Deposited) if e.account == account]
    updates = [event for event in told if event["e"] == "balanceUpdate"]
    assert [u["number"] for u in updates] == [e.number for e in deposits]
    balances = {
        balance["a"]: (balance["f"], balance["l"])
        for event in told
        if event["e"] == "outboundAccountPosition"
        for balance in event["B"]
    }
    for asset, amounts in balances.items():
        assert amounts == tuple(f"{a}.00000000" for a in exchange.balance(account, asset))
    newest = max(
        (e.number for e in exchange.of_kind(BalanceChanged) if e.account == account), default=0
    )
    assert told[-1]["number"] >= newest


def test_old_trades_are_never_told_as_new() -> None:
    exchange = random_exchange(1)
    feeds = Feeds()
    for entry in entries_of(exchange, Random(1)):
        feeds.apply(entry, tell=False)
    assert not feeds.batching()
    frames = take_frames(feeds, START_MS, ALL)
    assert not [f for f in frames if f.stream != f"{SYMBOL}@kline" and f.first], frames


def test_a_gap_in_the_journal_halts() -> None:
    entries = entries_of(random_exchange(1), Random(1))
    feeds = Feeds()
    feeds.apply(entries[0])
    with pytest.raises(JournalGap):
        feeds.apply(entries[2])


def test_nothing_is_written_for_nobody_but_depth() -> None:
    feeds = Feeds()
    for entry in entries_of(random_exchange(1), Random(1)):
        feeds.apply(entry)
    asked: set[str] = set()

    def nobody(stream: str) -> bool:
        asked.add(stream)
        return False

    frames = take_frames(feeds, START_MS, ALL, nobody)
    assert {f"{SYMBOL}@trade", f"{SYMBOL}@kline_1M", "user-1", "!ticker@arr"} <= asked
    assert {f.stream for f in frames} == {f"{SYMBOL}@depth", f"{SYMBOL}@depth@100ms"}
    assert not asked & {f.stream for f in frames}


# One trade of 3 at 100 out of an ask of 5, which Bob's order takes.
NOW = START_MS + 50
AMOUNTS = {
    "c": "100.00000000", "o": "100.00000000", "h": "100.00000000", "l": "100.00000000",
    "v": "3.00000000", "q": "300.00000000",
}  # fmt: skip
SHAPES: dict[str, Any] = {
    "trade": {
        "e": "trade", "E": NOW, "s": "ABCUSD", "t": 1, "p": "100.00000000", "q": "3.00000000",
        "T": START_MS, "m": False, "M": True,
    },
    "aggTrade": {
        "e": "aggTrade", "E": NOW, "s": "ABCUSD", "a": 1, "p": "100.00000000", "q": "3.00000000",
        "f": 1, "l": 1, "T": START_MS, "m": False, "M": True,
    },
    "depth@100ms": {
        "e": "depthUpdate", "E": NOW, "s": "ABCUSD", "U": 1, "u": 2, "b": [],
        "a": [["100.00000000", "2.00000000"]],
    },
    "depth5": {"lastUpdateId": 2, "bids": [], "asks": [["100.00000000", "2.00000000"]]},
    "bookTicker": {
        "u": 2, "s": "ABCUSD", "b": "0.00000000", "B": "0.00000000", "a": "100.00000000",
        "A": "2.00000000",
    },
    "miniTicker": {"e": "24hrMiniTicker", "E": NOW, "s": "ABCUSD", **AMOUNTS},
    "ticker": {
        "e": "24hrTicker", "E": NOW, "s": "ABCUSD", **AMOUNTS, "p": "0.00000000", "P": "0.000",
        "w": "100.00000000", "x": "100.00000000", "Q": "3.00000000", "b": "0.00000000",
        "B": "0.00000000", "a": "100.00000000", "A": "2.00000000", "O": NOW - DAY, "C": NOW,
        "F": 1, "L": 1, "n": 1,
    },
    "kline_1m": {
        "e": "kline", "E": NOW, "s": "ABCUSD",
        "k": {
            "t": Interval.M1.open_time(START_MS),
            "T": Interval.M1.close_time(Interval.M1.open_time(START_MS)),
            "s": "ABCUSD", "i": "1m", "f": 1, "L": 1, **AMOUNTS, "n": 1, "x": False,
            "V": "3.00000000", "Q": "300.00000000", "B": "0",
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def one_trade() -> list[Frame]:
    exchange = JournalledExchange()
    exchange.fund(ALICE, ABC=5)
    exchange.fund(BOB, USD=300)
    exchange.sell(ALICE, 100, 5, client_order_id="mine")
    exchange.buy(BOB, 100, 3)
    feeds = Feeds()
    for entry in entries_of(exchange, Random(1), most=100)[:1]:
        feeds.apply(entry)
    return take_frames(feeds, NOW, ALL)


@pytest.mark.parametrize("kind", SHAPES)
def test_shapes_are_those_of_binance(one_trade: list[Frame], kind: str) -> None:
    follower = Follower()
    for frame in one_trade:
        follower.take(frame)
    assert follower.texts[f"{SYMBOL}@{kind}"] == [SHAPES[kind]]


def test_the_shape_of_an_execution_report(one_trade: list[Frame]) -> None:
    follower = Follower()
    for frame in one_trade:
        follower.take(frame)
    deposited, funded, new, _, filled, position = follower.texts[f"user-{ALICE}"]
    assert (deposited["e"], deposited["d"]) == ("balanceUpdate", "5.00000000")
    assert funded["B"] == [{"a": "ABC", "f": "5.00000000", "l": "0.00000000"}]
    assert (new["x"], new["X"], new["w"], new["t"], new["N"]) == ("NEW", "NEW", True, -1, None)
    assert filled == {
        "e": "executionReport", "E": NOW, "s": "ABCUSD", "c": "mine", "S": "SELL", "o": "LIMIT",
        "f": "GTC", "q": "5.00000000", "p": "100.00000000", "P": "0.00000000", "F": "0.00000000",
        "g": -1, "C": "", "x": "TRADE", "X": "PARTIALLY_FILLED", "r": "NONE", "i": 1,
        "l": "3.00000000", "z": "3.00000000", "L": "100.00000000", "n": "0.00000000", "N": "USD",
        "T": 1_000, "t": 1, "I": 5, "w": True, "m": True, "M": False, "O": 1_000,
        "Z": "300.00000000", "Y": "300.00000000", "Q": "0.00000000", "W": 1_000, "V": "NONE",
        "number": 5,
    }  # fmt: skip
    assert [b["a"] for b in position["B"]] == ["ABC", "USD"]


@given(prints())
def test_live_candles_equal_those_of_the_tables(trades: list[Any]) -> None:
    live: dict[str, LiveCandles] = {}
    for trade in trades:
        price, quantity, quote = (int(amount * 10**8) for amount in trade[3:6])
        live.setdefault(trade.market, LiveCandles()).add(
            trade.trade_id, trade.time, price, quantity, quote, trade.taker_buys
        )
    expected = candles_of(trades)
    for market, candles in live.items():
        for interval, candle in candles.newest.items():
            (newest,) = (
                c
                for key, c in expected.items()
                if key[:2] == (market, interval) and key.open_time == candle.open_time
            )
            assert candle.trades == newest.trades
            assert [candle.open, candle.high, candle.low, candle.close, candle.volume] == [
                int(amount * 10**8) for amount in newest[:5]
            ]
            assert candle.taker_buy_volume == int(newest.taker_buy_volume * 10**8)


def test_a_candle_is_closed_once() -> None:
    candles = LiveCandles()
    candles.add(1, START_MS, 100, 1, 100, True)
    assert not candles.close_until(START_MS)
    assert candles.close_until(START_MS + MINUTE)
    closed = {interval for interval, _ in candles.closed}
    assert {Interval.S1, Interval.M1} <= closed < set(Interval)
    assert not candles.close_until(START_MS + MINUTE)
    candles.told()
    candles.add(2, START_MS + MINUTE, 90, 1, 90, True)
    assert not candles.closed
    assert candles.newest[Interval.H1].low == 90


def test_the_day_rolls_by_the_minute() -> None:
    window = DayWindow()
    for number in range(10):
        window.add(number + 1, START_MS + number * MINUTE, 100 + number, 2, 200)
    window.expire(START_MS + DAY)
    day = window.statistics()
    assert (day.open, day.high, day.low, day.last) == (101, 109, 101, 109)
    assert (day.volume, day.trades, day.first_id, day.last_id) == (18, 9, 2, 10)
    assert day.price_before == 100
    window.expire(START_MS + 2 * DAY)
    day = window.statistics()
    assert (day.open, day.high, day.low, day.last, day.trades) == (109, 109, 109, 109, 0)


@pytest.mark.parametrize(
    ("amount", "scale", "text"),
    [
        (1, 8, "0.00000001"),
        (150, 2, "1.50000000"),
        (7, 0, "7.00000000"),
        (-5, 1, "-0.50000000"),
        (0, 3, "0.00000000"),
        (2**63 - 1, 0, "9223372036854775807.00000000"),
    ],
)
def test_wire_amounts_have_eight_decimals(amount: int, scale: int, text: str) -> None:
    assert wire_amount(amount, scale) == text


def test_percent() -> None:
    assert (percent(-6, 50_006), percent(1, 0), percent(1, 4)) == ("-0.012", "0.000", "25.000")


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("btcusdt@depth", "btcusdt@depth"),
        ("btcusdt@depth@1000ms", "btcusdt@depth"),
        ("!miniTicker@arr@1000ms", "!miniTicker@arr"),
        ("btcusdt@depth@100ms", "btcusdt@depth@100ms"),
        ("btcusdt@depth20@100ms", "btcusdt@depth20@100ms"),
        ("btcusdt@kline_1M", "btcusdt@kline_1M"),
        ("!miniTicker@arr", "!miniTicker@arr"),
        ("btcusdt@kline_2m", None),
        ("BTCUSDT@depth", None),
        ("btcusdt@depth7", None),
        ("user-1", None),
        ("user", None),
        ("btcusdt@trade\n", None),
    ],
)
def test_names_of_streams(name: str, stream: str | None) -> None:
    assert public_stream(name) == stream


def test_groups_of_intervals_differ_by_case_alone() -> None:
    assert group_of("btcusdt@kline_1m") != group_of("btcusdt@kline_1M")
    assert group_of("!miniTicker@arr") == "feed.all.miniTicker.arr"


def test_best_of_the_asks_is_the_lowest() -> None:
    feeds = Feeds()
    exchange = JournalledExchange()
    exchange.fund(ALICE, ABC=10)
    for price in (105, 103, 104):
        exchange.place(ALICE, SELL, price, 1)
    for entry in entries_of(exchange, Random(1)):
        feeds.apply(entry)
    market = feeds.markets["ABCUSD"]
    assert market.best == (0, 0, 103, 1)
    assert market.asks.top(2) == [(103, 1), (104, 1)]
