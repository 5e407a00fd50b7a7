"""Frames through the mirror into a real core: after every depth frame the books are equal."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.answers import answer
from engine.core.commands import Command
from engine.core.events import OrderState
from engine.core.queries import GetDepth, GetOpenOrders
from engine.core.rejections import Code
from engine.core.replies import DepthReply, OrderReply, OrdersReply, Refused
from engine.core.tests.exchange import ALICE, BOB, CAROL, MARKET, Exchange
from engine.pipeline import Answered
from markets.replay.player import Player, Players, ReplayRefused
from markets.venues.amounts import Scales
from markets.venues.binance import DepthDiff, DepthSnapshot, Frame, Level, TradePrint
from markets.venues.recording import read_recording
from markets.venues.tests.recordings import excerpt

PLENTY = 10**15


class LateAnswers:
    """A core as the player's exchange. It gives its answers as late as it may."""

    def __init__(self, exchange: Exchange) -> None:
        self.core = exchange
        self.commands: list[Command] = []
        self._answers: list[Answered] = []
        self.keep = 10

    def send(self, commands: Sequence[Command]) -> list[Answered]:
        self.commands += commands
        self._answers += [Answered(command, self.core.do(command)) for command in commands]
        kept = min(self.keep, len(self._answers))
        ready, self._answers = self._answers[: -kept or None], self._answers[-kept:] if kept else []
        return ready

    def drain(self) -> list[Answered]:
        ready, self._answers = self._answers, []
        return ready

    def book(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        depth = answer(self.core.engine, GetDepth(MARKET, 10_000), 0)
        assert isinstance(depth, DepthReply)
        return list(depth.bids), list(depth.asks)

    def open_orders(self) -> tuple[OrderState, ...]:
        orders = answer(self.core.engine, GetOpenOrders(ALICE), 0)
        assert isinstance(orders, OrdersReply)
        return orders.orders

    def assert_sums_are_zero(self) -> None:
        assert all(sum(t) == 0 for t in self.core.engine.accounts.totals().values())


def a_replay(scales: Scales | None = None, **rules: Any) -> tuple[Player, LateAnswers]:
    exchange = Exchange(**rules)
    for account in (ALICE, BOB, CAROL):
        exchange.fund(account, ABC=PLENTY, USD=PLENTY)
    late = LateAnswers(exchange)
    player = Player(
        late,
        market=MARKET,
        scales=scales or Scales(0, 0),
        players=Players(maker=ALICE, taker=BOB),
        now_ms=lambda: 1_000,
    )
    return player, late


def sold(price: int, quantity: int, *, taker_buys: bool = False) -> TradePrint:
    return TradePrint("ABCUSD", 1, str(price), str(quantity), 0, not taker_buys)


def snapshot(bids: list[Level], asks: list[Level]) -> DepthSnapshot:
    return DepthSnapshot(0, bids, asks)


def diff(
    number: int, bids: list[Level] | None = None, asks: list[Level] | None = None
) -> DepthDiff:
    return DepthDiff(0, "ABCUSD", number, number, bids or [], asks or [])


def difference(old: dict[int, int], new: dict[int, int]) -> list[Level]:
    return [
        (str(price), str(new.get(price, 0)))
        for price in {**old, **new}
        if old.get(price, 0) != new.get(price, 0)
    ]


@st.composite
def sessions(draw: st.DrawFn) -> list[Frame]:
    """Books that jump about, and prints that may or may not agree with them."""
    quantities = st.integers(1, 9)
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    frames: list[Frame] = [snapshot([], [])]
    for number in range(1, draw(st.integers(1, 12)) + 1):
        border = draw(st.integers(2, 19))
        new_bids = draw(st.dictionaries(st.integers(1, border - 1), quantities, max_size=6))
        new_asks = draw(st.dictionaries(st.integers(border, 20), quantities, max_size=6))
        frames.append(diff(number, difference(bids, new_bids), difference(asks, new_asks)))
        bids, asks = new_bids, new_asks
        for _ in range(draw(st.integers(0, 3))):
            price, quantity = draw(st.integers(1, 20)), draw(st.integers(1, 12))
            frames.append(sold(price, quantity, taker_buys=draw(st.booleans())))
    return frames


@given(sessions(), st.integers(0, 20))
def test_the_book_is_the_recorded_one_after_every_depth_frame(
    frames: list[Frame], answers_kept: int
) -> None:
    player, late = a_replay()
    late.keep = answers_kept
    for frame in frames:
        player.play(frame)
        if isinstance(frame, DepthDiff | DepthSnapshot):
            player.flush()
            assert late.book() == player.book.best(10_000)
    player.finish(late.open_orders)
    assert late.book() == player.book.best(10_000)
    late.assert_sums_are_zero()
    assert player.tally.orders + player.tally.cancels == len(late.commands)


@given(sessions(), st.data())
def test_others_may_trade_meanwhile(frames: list[Frame], data: st.DataObject) -> None:
    """Nothing is refused, no money is made, and no order of the mirror is forgotten."""
    player, late = a_replay()
    for frame in frames:
        player.play(frame)
        if data.draw(st.booleans()):
            place = data.draw(st.sampled_from([late.core.buy, late.core.sell]))
            place(CAROL, data.draw(st.integers(1, 20)), data.draw(st.integers(1, 9)))
    player.finish(late.open_orders)
    late.assert_sums_are_zero()
    open_ids = {order.terms.client_order_id for order in late.open_orders()}
    assert open_ids <= player.mirror.client_order_ids()


def test_an_order_in_the_way_is_traded_through() -> None:
    player, late = a_replay()
    player.play(snapshot([("9", "1")], [("11", "5")]))
    player.flush()
    late.core.buy(CAROL, 10, 2)
    player.play(diff(1, bids=[("9", "0"), ("8", "1")], asks=[("10", "3")]))
    player.finish(late.open_orders)
    assert player.tally.fills == 1
    assert late.book() == ([(8, 1)], [(10, 3), (11, 5)])


def test_a_level_that_somebody_else_took_is_mended_when_it_is_noticed() -> None:
    player, late = a_replay()
    player.play(snapshot([("9", "5")], [("11", "5")]))
    player.flush()
    late.core.sell(CAROL, 9, 2)
    player.play(sold(9, 4))
    player.play(diff(1, bids=[("9", "1")]))
    player.finish(late.open_orders)
    assert late.book() == ([(9, 1)], [(11, 5)])


def test_what_others_did_unseen_is_mended_in_the_end() -> None:
    player, late = a_replay()
    player.play(snapshot([("9", "5")], [("11", "5"), ("12", "1")]))
    player.flush()
    late.core.sell(CAROL, 9, 2)
    late.core.buy(CAROL, 11, 5)
    player.finish(late.open_orders)
    assert late.book() == ([(9, 5)], [(11, 5), (12, 1)])


def test_a_print_that_met_an_equal_order_of_somebody_else() -> None:
    """Nothing in the answer tells them apart: the mirror's own order is found in the end."""
    player, late = a_replay()
    late.core.buy(CAROL, 9, 5)
    player.play(snapshot([("9", "5")], []))
    player.play(sold(9, 5))
    player.play(diff(1, bids=[("9", "0"), ("8", "1")]))
    player.finish(late.open_orders)
    assert late.book() == ([(8, 1)], [])


def test_cancels_come_first() -> None:
    """The market moves up through where asks stood: never a moment with a crossed mirror."""
    player, late = a_replay()
    player.play(snapshot([("9", "1")], [("10", "1"), ("11", "1")]))
    player.play(
        diff(1, bids=[("10", "2"), ("11", "1")], asks=[("10", "0"), ("11", "0"), ("12", "3")])
    )
    player.finish(late.open_orders)
    assert player.tally.fills == 0
    assert late.book() == ([(11, 1), (10, 2), (9, 1)], [(12, 3)])


def test_prints_trade_with_the_mirror() -> None:
    player, late = a_replay()
    player.play(sold(9, 1))  # before there is a book: nothing to trade with
    player.play(snapshot([("9", "5"), ("8", "5")], [("11", "5")]))
    player.play(sold(8, 7))
    player.play(sold(11, 9, taker_buys=True))
    player.flush()
    assert late.book() == ([(8, 3)], [])
    player.finish(late.open_orders)
    assert late.book() == ([(9, 5), (8, 5)], [(11, 5)])
    tally = player.tally
    assert (tally.prints, tally.fills) == (3, 3)
    assert (tally.recorded_quantity, tally.traded_quantity) == (17, 12)


def test_what_the_diff_confirms_is_left_alone() -> None:
    """The print took what the next frame says is gone: no command is needed for it."""
    player, late = a_replay()
    player.play(snapshot([("9", "5")], []))
    player.play(sold(9, 2))
    player.play(diff(1, bids=[("9", "3")]))
    player.finish(late.open_orders)
    assert len(late.commands) == 2


def test_a_refusal_ends_the_replay() -> None:
    player, late = a_replay(max_quantity=3)
    player.play(snapshot([("9", "5")], []))
    with pytest.raises(ReplayRefused, match="QUANTITY_TOO_LARGE"):
        player.finish(late.open_orders)


def test_an_order_that_somebody_took_cannot_be_cancelled_and_need_not() -> None:
    player, late = a_replay()
    player.play(snapshot([("9", "5")], []))
    player.flush()
    taken = late.core.sell(CAROL, 9, 5)
    assert isinstance(taken, OrderReply)
    player.play(diff(1, bids=[("9", "4")]))
    player.finish(late.open_orders)
    assert late.book() == ([(9, 4)], [])
    gone = late.core.do(late.commands[1])
    assert isinstance(gone, Refused)
    assert gone.code is Code.UNKNOWN_ORDER


def test_the_excerpt() -> None:
    player, late = a_replay(Scales(base=5, quote=2))
    for _, frame in read_recording(excerpt()):
        player.play(frame)
        if isinstance(frame, DepthDiff):
            player.flush()
            assert late.book() == player.book.best(10_000)
    player.finish(late.open_orders)
    assert player.tally.fills > 0
    late.assert_sums_are_zero()
