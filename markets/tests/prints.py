"""Trades as hypothesis thinks of them."""

from decimal import Decimal

from hypothesis import strategies as st

from engine.core.types import MAX_AMOUNT
from markets.candles import Print

START_MS = 1_760_000_000_000

# A hair, a day and a month: few trades then reach every border.
_gaps = st.one_of(
    st.just(0), st.integers(0, 1_500), st.integers(0, 10**8), st.integers(0, 4 * 10**9)
)


def _amounts(scale: int) -> st.SearchStrategy[Decimal]:
    """Amounts of an asset as its column gives them: with eight places, whatever the scale."""
    smallest_units = st.one_of(st.integers(1, 1_000), st.integers(1, MAX_AMOUNT))
    return smallest_units.map(lambda n: Decimal(n).scaleb(-scale).quantize(Decimal("1e-8")))


@st.composite
def prints(draw: st.DrawFn) -> list[Print]:
    """Trades of two markets in the journal's order: ids without a gap, time never backwards."""
    time, ids, trades = START_MS, {"BTCUSDT": 0, "ETHBTC": 0}, []
    amounts = _amounts(draw(st.sampled_from([0, 2, 8])))
    for _ in range(draw(st.integers(0, 25))):
        time += draw(_gaps)
        market = draw(st.sampled_from(sorted(ids)))
        ids[market] += 1
        trades.append(
            Print(
                market,
                ids[market],
                time,
                draw(amounts),
                draw(amounts),
                draw(amounts),
                draw(st.booleans()),
            )
        )
    return trades
