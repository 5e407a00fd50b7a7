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


def _amount(smallest_units: int) -> Decimal:
    return Decimal(smallest_units).scaleb(-8)


_amounts = st.one_of(st.integers(1, 1_000), st.integers(1, MAX_AMOUNT)).map(_amount)


@st.composite
def prints(draw: st.DrawFn) -> list[Print]:
    """Trades of two markets in the journal's order: ids without a gap, time never backwards."""
    time, ids, trades = START_MS, {"BTCUSDT": 0, "ETHBTC": 0}, []
    for _ in range(draw(st.integers(0, 25))):
        time += draw(_gaps)
        market = draw(st.sampled_from(sorted(ids)))
        ids[market] += 1
        trades.append(
            Print(
                market,
                ids[market],
                time,
                draw(_amounts),
                draw(_amounts),
                draw(_amounts),
                draw(st.booleans()),
            )
        )
    return trades
