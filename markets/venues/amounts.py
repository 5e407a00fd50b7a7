"""A venue's decimal strings as integers in the smallest units of our assets."""

from functools import lru_cache
from typing import NamedTuple

from engine.amounts import format_amount, parse_amount


class Scales(NamedTuple):
    """Decimal places of the two assets of a market."""

    base: int
    quote: int

    def price(self, text: str) -> int:
        """Raises AmountError, as `quantity` does."""
        return _parse(text, self.quote)

    def quantity(self, text: str) -> int:
        return _parse(text, self.base)

    def format_quantity(self, quantity: int) -> str:
        return format_amount(quantity, self.base)


@lru_cache(maxsize=65_536)
def _parse(text: str, scale: int) -> int:
    """The same prices and sizes come again and again."""
    return parse_amount(text, scale)
