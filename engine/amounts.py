"""Between decimal strings outside and integers inside.

An amount of an asset with scale 8 is written `"0.01500000"` outside and is `1500000` inside.
"""

from typing import Final

from engine.core.types import MAX_AMOUNT

MAX_WHOLE: Final = 19
MAX_PLACES: Final = 18
"""Digits before and after the point."""


class AmountError(ValueError):
    """The text is no amount of that scale; the message says why, `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse_amount(text: str, scale: int) -> int:
    """The amount in smallest units. Raises AmountError.

    The grammar is plain: ASCII digits, at most one point with digits on both sides. No sign, no
    exponent, no blanks, none of Unicode's other digits. More decimal places than the scale has
    are refused unless they are zeros: nothing is ever rounded.
    """
    whole, point, fraction = text.partition(".")
    if not (
        text.isascii()
        and whole.isdigit()
        and (fraction.isdigit() if point else True)
        and len(whole) <= MAX_WHOLE
        and len(fraction) <= MAX_PLACES
    ):
        raise AmountError("INVALID_DECIMAL", "must be a plain decimal number such as 0.015")
    if fraction[scale:].strip("0"):
        raise AmountError("TOO_MANY_DECIMALS", f"has more than {scale} decimal places")
    amount = int(whole + fraction[:scale].ljust(scale, "0"))
    if amount > MAX_AMOUNT:
        raise AmountError("AMOUNT_OUT_OF_RANGE", "is too large")
    return amount


def format_amount(amount: int, scale: int) -> str:
    """The amount as a decimal string with all places of its scale."""
    sign, digits = ("-", -amount) if amount < 0 else ("", amount)
    if scale == 0:
        return f"{sign}{digits}"
    whole, fraction = divmod(digits, 10**scale)
    return f"{sign}{whole}.{fraction:0{scale}d}"
