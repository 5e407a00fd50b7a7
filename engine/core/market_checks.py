"""Is an asset, a market, a schedule of fees as it must be? Nothing here changes anything."""

import re
from typing import TYPE_CHECKING, Final

from engine.core.commands import DefineAsset, DefineMarket, SetFees
from engine.core.rejections import Code
from engine.core.replies import Refused
from engine.core.types import MAX_AMOUNT, MAX_SCALE, PPM

if TYPE_CHECKING:
    from engine.core.markets import Market

MAX_TIERS: Final = 100
MAX_GUARD_WINDOW_MS: Final = 60_000
"""The guard keeps at most one price for each of these."""

MAX_GUARD_PAUSE_MS: Final = 24 * 60 * 60 * 1000

_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)


def check_asset(command: DefineAsset, known_scale: int | None) -> Refused | None:
    if not _SYMBOL.fullmatch(command.symbol):
        return Refused(Code.INVALID_ASSET, "a symbol is 1 to 20 of A-Z and 0-9")
    if not 0 <= command.scale <= MAX_SCALE:
        return Refused(Code.INVALID_ASSET, f"the scale is 0 to {MAX_SCALE}")
    if known_scale is not None and known_scale != command.scale:
        return Refused(Code.INVALID_ASSET, "the scale of an asset never changes")
    return None


def check_market(rules: DefineMarket, known: "Market | None", base_scale: int) -> Refused | None:
    """`known` is the market as it stands, where it is not new."""
    problem = (
        _problem_with_pair(rules, known)
        or _problem_with_grid(rules, known, base_scale)
        or _problem_with_limits(rules)
        or _problem_with_bands(rules)
    )
    if problem:
        return Refused(Code.INVALID_MARKET, problem)
    fees = {**known.tier_fees} if known is not None else {}
    fees[0] = (rules.maker_fee_ppm, rules.taker_fee_ppm)
    if problem := _problem_with_fees(fees):
        return Refused(Code.INVALID_MARKET, problem)
    return None


def check_fees(command: SetFees, market: "Market") -> Refused | None:
    if not 0 < command.tier <= MAX_TIERS:
        return Refused(Code.INVALID_FEES, f"a tier with fees of its own is 1 to {MAX_TIERS}")
    fees = {0: (market.rules.maker_fee_ppm, market.rules.taker_fee_ppm), **market.tier_fees}
    fees[command.tier] = (command.maker_fee_ppm, command.taker_fee_ppm)
    if problem := _problem_with_fees(fees):
        return Refused(Code.INVALID_FEES, problem)
    return None


def _problem_with_pair(rules: DefineMarket, known: "Market | None") -> str | None:
    if not _SYMBOL.fullmatch(rules.symbol):
        return "a symbol is 1 to 20 of A-Z and 0-9"
    if rules.base == rules.quote:
        return "an asset has no market with itself"
    if known is not None and (known.base, known.quote) != (rules.base, rules.quote):
        return "the assets of a market never change"
    return None


def _problem_with_grid(rules: DefineMarket, known: "Market | None", base_scale: int) -> str | None:
    if not (0 < rules.tick <= MAX_AMOUNT and 0 < rules.step <= MAX_AMOUNT):
        return "tick and step must be positive"
    if rules.tick * rules.step % 10**base_scale:
        return "tick times step must be a whole number of the quote asset's smallest unit"
    # Prices of one grid times quantities of another need not be whole amounts.
    is_moved = known is not None and (rules.tick, rules.step) != (
        known.rules.tick,
        known.rules.step,
    )
    if known is not None and is_moved and known.has_orders:
        return "tick and step change only while no order stands"
    return None


def _problem_with_limits(rules: DefineMarket) -> str | None:
    if not rules.step <= rules.min_quantity <= rules.max_quantity <= MAX_AMOUNT:
        return "quantities must keep step <= minimum <= maximum"
    if not 0 <= rules.min_notional <= rules.max_notional <= MAX_AMOUNT:
        return "notionals must keep 0 <= minimum <= maximum"
    for limit in (rules.max_open_orders, rules.max_conditional_orders):
        if limit is not None and limit < 0:
            return "a limit on open orders must not be negative"
    return None


def _problem_with_bands(rules: DefineMarket) -> str | None:
    if not 0 < rules.band_down_ppm <= PPM <= rules.band_up_ppm <= 1_000 * PPM:
        return "the price band must hold the last price itself"
    if not 0 <= rules.trigger_band_ppm <= PPM:
        return "the trigger band is 0 to 100 %"
    if rules.guard_ppm is not None and not 0 < rules.guard_ppm <= PPM:
        return "the volatility guard is above 0 and at most 100 %"
    if not 0 < rules.guard_window_ms <= MAX_GUARD_WINDOW_MS:
        return f"the guard's window is 1 to {MAX_GUARD_WINDOW_MS} ms"
    if not 0 < rules.guard_pause_ms <= MAX_GUARD_PAUSE_MS:
        return f"the guard's pause is 1 to {MAX_GUARD_PAUSE_MS} ms"
    return None


def _problem_with_fees(fees: dict[int, tuple[int, int]]) -> str | None:
    """Accounts of any two tiers may meet."""
    if not all(-PPM < rate < PPM for pair in fees.values() for rate in pair):
        return "fees must be below 100 %"
    makers, takers = [maker for maker, _ in fees.values()], [taker for _, taker in fees.values()]
    if min(makers) + min(takers) < 0:
        return "a rebate must not exceed the other side's fee"
    return None
