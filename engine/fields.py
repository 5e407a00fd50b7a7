"""How amounts stand in the database."""

from typing import TYPE_CHECKING, Any, Final

from django.db import models

AMOUNT_DIGITS: Final = 28
AMOUNT_PLACES: Final = 8

if TYPE_CHECKING:
    # Under these names mypy knows what `null=True` means; its stubs' classes are generic.
    AmountField = models.DecimalField
    VolumeField = models.DecimalField
else:

    class AmountField(models.DecimalField):
        """A price, quantity or fee in whole units of its asset: `0.01500000` BTC, not 1500000.

        The journal counts smallest units. The tables hold decimals, because people and reports
        query them, a row should mean something without the scale of its asset beside it, and every
        answer outside is decimal. Nothing is lost: no asset has more than eight places
        (`MAX_SCALE`), and 28 digits leave room for the largest amount (19 digits) of an asset that
        has none.
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("max_digits", AMOUNT_DIGITS)
            kwargs.setdefault("decimal_places", AMOUNT_PLACES)
            super().__init__(*args, **kwargs)

    class VolumeField(AmountField):
        """A sum of amounts: eight digits wider, because one overflow would halt all candles."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("max_digits", AMOUNT_DIGITS + 8)
            super().__init__(*args, **kwargs)
