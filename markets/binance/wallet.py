"""Beside `/api/v3`: what default clients ask for before they trade.

There is no margin, no futures and no wallet here. With these answers clients find that out and go
on with the spot markets.
"""

from decimal import Decimal

from engine.core.types import PPM
from markets.binance import payloads, queries
from markets.binance.callers import Caller
from markets.definitions import get_definition, list_definitions


def nothing(_: Caller, __: queries.NoParameters) -> list[payloads.Empty]:
    """An empty list: there are none here."""
    return []


def system_status(_: Caller, __: queries.NoParameters) -> payloads.SystemStatus:
    """Whoever hears this finds everything in order; `/health` says more."""
    return payloads.SystemStatus(0, "normal")


def no_symbols(_: Caller, __: queries.NoParameters) -> payloads.NoSymbols:
    """No symbols: there are no such markets here."""
    return payloads.NoSymbols([])


def trade_fees(_: Caller, wanted: queries.TradeFeeQuery) -> list[payloads.TradeFee]:
    """The fees of one market, or of all."""
    if wanted.symbol is not None:
        markets = [get_definition(symbol=wanted.symbol)]
    else:
        markets = list_definitions()
    return [
        payloads.TradeFee(
            market.symbol,
            _fraction(market.rules.maker_fee_ppm),
            _fraction(market.rules.taker_fee_ppm),
        )
        for market in markets
    ]


def _fraction(ppm: int) -> str:
    return f"{Decimal(ppm) / PPM:f}"
