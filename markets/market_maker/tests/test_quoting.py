"""Where the walk goes and which orders stand around it: no exchange is needed for that."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.types import Side
from markets.market_maker.ladder import Ladder
from markets.market_maker.parameters import Parameters, Rules
from markets.market_maker.taking import Taker
from markets.market_maker.walk import RandomWalk

BTC = Rules("BTCUSDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5))
ETHBTC = Rules("ETHBTC", Decimal("0.00001"), Decimal("0.001"), Decimal("0.0001"))
PARAMETERS = Parameters(url="", markets={})
MARKETS = [(BTC, 50_000.0, 3_000.0), (ETHBTC, 0.05, 0.06)]


def ladder_of(rules: Rules, start: float, notional: float, seed: int = 1) -> Ladder:
    return Ladder(rules, PARAMETERS, start=start, notional=notional, random=Random(seed))


def follow(ladder: Ladder, price: float, next_id: int) -> int:
    """Do what the ladder asks for, and check that it never meets itself on the way."""
    change = ladder.change(price)
    for order_id in change.cancel:
        ladder.gone(order_id)
    for quote in change.place:
        bids = [ticks for side, ticks in ladder.standing.values() if side is Side.BUY]
        asks = [ticks for side, ticks in ladder.standing.values() if side is Side.SELL]
        if quote.side is Side.BUY:
            assert quote.ticks < min(asks, default=quote.ticks + 1)
        else:
            assert quote.ticks > max(bids, default=quote.ticks - 1)
        ladder.placed(quote, next_id)
        next_id += 1
    return next_id


@given(st.integers(), st.floats(0.00001, 0.01), st.floats(1e-6, 1e6))
def test_no_step_is_larger_than_the_limit(seed: int, sigma: float, start: float) -> None:
    walk = RandomWalk(start, sigma=sigma, limit=0.0005, random=Random(seed))
    for _ in range(50):
        before = walk.price
        assert abs(walk.step() / before - 1) <= 0.0005 + 1e-12


@pytest.mark.parametrize(("rules", "start", "notional"), MARKETS)
@given(seed=st.integers(0, 2**32))
def test_a_ladder_follows_the_walk_and_never_meets_itself(
    rules: Rules, start: float, notional: float, seed: int
) -> None:
    ladder = ladder_of(rules, start, notional, seed)
    # Steps much larger than those of the demo, too.
    walk = RandomWalk(start, sigma=0.003, limit=0.01, random=Random(seed))
    next_id = 1
    for _ in range(20):
        next_id = follow(ladder, walk.step(), next_id)
        for side in Side:
            places = [ticks for s, ticks in ladder.standing.values() if s is side]
            assert len(places) == len(set(places)) == PARAMETERS.levels
        best = max(ticks for s, ticks in ladder.standing.values() if s is Side.BUY)
        assert best * float(rules.tick) < walk.price


def test_a_small_step_leaves_most_orders_where_they_are() -> None:
    ladder = ladder_of(*MARKETS[0])
    follow(ladder, 50_000.0, 1)
    change = ladder.change(50_007.0)
    assert len(change.cancel) == len(change.place)
    assert len(change.cancel) <= PARAMETERS.refreshed + 6


def test_what_was_filled_is_placed_again() -> None:
    ladder = ladder_of(*MARKETS[0])
    follow(ladder, 50_000.0, 1)
    ladder.keep_only(set(ladder.standing) - {1, 2})
    assert len(ladder.change(50_000.0).place) == PARAMETERS.refreshed + 2


@pytest.mark.parametrize(("rules", "start", "notional"), MARKETS)
def test_orders_are_worth_enough_to_be_accepted(
    rules: Rules, start: float, notional: float
) -> None:
    ladder, taker = (
        ladder_of(rules, start, notional),
        Taker(rules, PARAMETERS, notional=notional, random=Random(1)),
    )
    quotes = ladder.change(start).place + [q for _ in range(500) if (q := taker.next(start))]
    for quote in quotes:
        worth = rules.tick * quote.ticks * rules.step * quote.steps
        assert worth >= rules.min_notional
    assert {q.side for q in quotes} == set(Side)


def test_a_quote_that_a_stranger_blocks_is_taken_next() -> None:
    taker = Taker(BTC, PARAMETERS, notional=3_000.0, random=Random(1))
    quote = ladder_of(*MARKETS[0]).change(50_000.0).place[0]
    taker.blocked(quote)
    assert taker.next(50_000.0) == quote


def test_the_same_seed_gives_the_same_orders() -> None:
    one, other = ladder_of(*MARKETS[0], seed=7), ladder_of(*MARKETS[0], seed=7)
    assert one.change(50_000.0) == other.change(50_000.0)
