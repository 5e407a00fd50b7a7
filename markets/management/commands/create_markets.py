"""The demo's assets and markets. What is already defined is left as it is."""

from typing import Any, Final, NamedTuple

from django.core.management.base import BaseCommand, CommandError

from engine.client import EngineUnavailable, StatusUnknown
from engine.submit import CommandRefused
from markets import selectors
from markets.administration import asset_define, market_define
from markets.models import Asset, Market

SCALE: Final = 8
ASSETS: Final = ("BTC", "ETH", "SOL", "USDT")

# A fifth to five times the last price.
BAND_DOWN_PPM: Final = 200_000
BAND_UP_PPM: Final = 5_000_000
FEE_PPM: Final = 1_000

PROJECTION_TIMEOUT_S: Final = 10.0


class Rules(NamedTuple):
    base: str
    quote: str
    tick: str
    step: str
    max_quantity: str
    min_notional: str


MARKETS: Final = (
    Rules("BTC", "USDT", tick="0.01", step="0.00001", max_quantity="1000", min_notional="5"),
    Rules("ETH", "USDT", tick="0.01", step="0.0001", max_quantity="10000", min_notional="5"),
    Rules("SOL", "USDT", tick="0.01", step="0.001", max_quantity="100000", min_notional="5"),
    Rules("ETH", "BTC", tick="0.00001", step="0.001", max_quantity="10000", min_notional="0.0001"),
)


class Command(BaseCommand):
    help = "Defines the demo's assets and markets in the engine, where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sequence = self._define()
        except CommandRefused as refusal:
            raise CommandError(f"{refusal.code.value}: {refusal.detail}") from None
        except (EngineUnavailable, StatusUnknown):
            raise CommandError("the engine does not answer; run this again") from None
        if sequence and not selectors.wait_for_projection(
            sequence=sequence, timeout=PROJECTION_TIMEOUT_S
        ):
            raise CommandError("defined, but the projector is behind: run this again")

    def _define(self) -> int:
        """The journal's sequence after the last definition; 0 where nothing was missing."""
        sequence = 0
        known_assets = set(Asset.objects.values_list("symbol", flat=True))
        known_markets = set(Market.objects.values_list("symbol", flat=True))
        for symbol in ASSETS:
            if symbol not in known_assets:
                sequence = asset_define(symbol=symbol, scale=SCALE)
        for rules in MARKETS:
            if rules.base + rules.quote not in known_markets:
                sequence = _define_market(rules)
        return sequence


def _define_market(rules: Rules) -> int:
    return market_define(
        symbol=rules.base + rules.quote,
        base=rules.base,
        quote=rules.quote,
        base_scale=SCALE,
        quote_scale=SCALE,
        tick=rules.tick,
        step=rules.step,
        min_quantity=rules.step,
        max_quantity=rules.max_quantity,
        min_notional=rules.min_notional,
        band_down_ppm=BAND_DOWN_PPM,
        band_up_ppm=BAND_UP_PPM,
        maker_fee_ppm=FEE_PPM,
        taker_fee_ppm=FEE_PPM,
    )
