"""Fees: signed parts per million of what is received, rounded towards the house."""

import pytest

from engine.core.settlement import fee
from engine.core.tests.exchange import ALICE, BOB, Exchange, assert_sound, order_of


@pytest.mark.parametrize(
    ("received", "ppm", "expected"),
    [
        (1_000_000, 1_000, 1_000),
        (1, 1_000, 1),  # the house never rounds against itself
        (999, 1_000, 1),
        (1_001, 1_000, 2),
        (1_000_000, 0, 0),
        (1_000_000, -500, -500),
        (1_999, -1_000, -1),  # rebates too
        (999, -1_000, 0),
    ],
)
def test_rounding(received: int, ppm: int, expected: int) -> None:
    assert fee(received, ppm) == expected


@pytest.mark.parametrize("maker_sells", [True, False])
@pytest.mark.parametrize(("maker_ppm", "taker_ppm"), [(1_000, 2_000), (-1_000, 5_000), (0, 0)])
def test_each_pays_in_what_it_receives(maker_sells: bool, maker_ppm: int, taker_ppm: int) -> None:
    exchange = Exchange(maker_fee_ppm=maker_ppm, taker_fee_ppm=taker_ppm)
    exchange.fund(ALICE, ABC=10_000)
    exchange.fund(BOB, USD=1_000_000)
    if maker_sells:
        exchange.sell(ALICE, 100, 10_000)
        taker = order_of(exchange.buy(BOB, 100, 10_000))
        base_ppm, quote_ppm = taker_ppm, maker_ppm
    else:
        exchange.buy(BOB, 100, 10_000)
        taker = order_of(exchange.sell(ALICE, 100, 10_000))
        base_ppm, quote_ppm = maker_ppm, taker_ppm
    base_fee, quote_fee = 10_000 * base_ppm // 1_000_000, 1_000_000 * quote_ppm // 1_000_000

    assert exchange.balance(BOB, "ABC") == (10_000 - base_fee, 0)
    assert exchange.balance(ALICE, "USD") == (1_000_000 - quote_fee, 0)
    assert exchange.engine.accounts.house == {"ABC": base_fee, "USD": quote_fee}
    expected = (base_fee, "ABC") if maker_sells else (quote_fee, "USD")
    assert (taker.fills[0].fee, taker.fills[0].fee_asset) == expected
    assert_sound(exchange.engine)
