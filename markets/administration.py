"""What operators decide about assets and markets: commands to the engine.

Amounts come in as decimal strings. Each service returns the journal's sequence after the command,
and raises FieldInvalid, CommandRefused, EngineUnavailable or StatusUnknown.
"""

from engine.core.commands import DefineAsset, DefineMarket, SetFees, SetPhase
from engine.core.types import MAX_AMOUNT, Phase
from engine.submit import submit
from markets.models.definitions import MAX_CONDITIONAL_ORDERS, MAX_OPEN_ORDERS
from markets.order_terms import units


def asset_define(*, symbol: str, scale: int) -> int:
    """Define an asset, once."""
    return submit(DefineAsset(symbol=symbol, scale=scale)).sequence


def market_define(
    *,
    symbol: str,
    base: str,
    quote: str,
    base_scale: int,
    quote_scale: int,
    tick: str,
    step: str,
    min_quantity: str,
    max_quantity: str,
    min_notional: str,
    band_down_ppm: int,
    band_up_ppm: int,
    maker_fee_ppm: int,
    taker_fee_ppm: int,
    max_notional: str | None = None,
    max_open_orders: int | None = MAX_OPEN_ORDERS,
    max_conditional_orders: int | None = MAX_CONDITIONAL_ORDERS,
    trigger_band_ppm: int = 50_000,
    guard_ppm: int | None = None,
    guard_window_ms: int = 10_000,
    guard_pause_ms: int = 60_000,
) -> int:
    """Define a market or change its rules. A limit that is None does not apply.

    The scales are given rather than looked up: the assets may be newer than their projection.
    """
    command = DefineMarket(
        symbol=symbol,
        base=base,
        quote=quote,
        tick=units("tick", tick, quote_scale),
        step=units("step", step, base_scale),
        min_quantity=units("min_quantity", min_quantity, base_scale),
        max_quantity=units("max_quantity", max_quantity, base_scale),
        min_notional=units("min_notional", min_notional, quote_scale),
        band_down_ppm=band_down_ppm,
        band_up_ppm=band_up_ppm,
        maker_fee_ppm=maker_fee_ppm,
        taker_fee_ppm=taker_fee_ppm,
        max_notional=MAX_AMOUNT
        if max_notional is None
        else units("max_notional", max_notional, quote_scale),
        max_open_orders=max_open_orders,
        max_conditional_orders=max_conditional_orders,
        trigger_band_ppm=trigger_band_ppm,
        guard_ppm=guard_ppm,
        guard_window_ms=guard_window_ms,
        guard_pause_ms=guard_pause_ms,
    )
    return submit(command).sequence


def fees_set(*, market: str, tier: int, maker_fee_ppm: int, taker_fee_ppm: int) -> int:
    """What accounts of one tier pay in a market; tier 0 pays what its rules say."""
    command = SetFees(
        market=market, tier=tier, maker_fee_ppm=maker_fee_ppm, taker_fee_ppm=taker_fee_ppm
    )
    return submit(command).sequence


def phase_set(*, market: str, phase: Phase, until: int | None = None) -> int:
    """Move a market to a phase. With `pre_open`, `until` says when it opens by itself, in
    milliseconds since the epoch."""
    return submit(SetPhase(market=market, phase=phase, until=until)).sequence
