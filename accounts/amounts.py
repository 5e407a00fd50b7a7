"""Amounts of assets as people give them and as requests keep them: in whole units."""

from decimal import Decimal

from engine.amounts import AmountError, format_amount, parse_amount
from exchange_site.errors import FieldInvalid
from markets.models import Asset


def whole_units(asset: str, amount: str) -> Decimal:
    """A decimal string, checked against the asset's scale. Raises FieldInvalid."""
    row = Asset.objects.filter(symbol=asset).first()
    if row is None:
        raise FieldInvalid("asset", "UNKNOWN_ASSET", "there is no such asset")
    try:
        units = parse_amount(amount, row.scale)
    except AmountError as error:
        raise FieldInvalid("amount", error.code, str(error)) from None
    if units == 0:
        raise FieldInvalid("amount", "AMOUNT_OUT_OF_RANGE", "must be more than nothing")
    return Decimal(format_amount(units, row.scale))


def smallest_units(asset: str, amount: Decimal) -> int:
    return parse_amount(f"{amount:f}", Asset.objects.get(symbol=asset).scale)
