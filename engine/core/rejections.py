"""Why a command was refused: stable codes, one per rule, grouped by the layer that refuses.

The values are part of the public API; they are never renamed or given another meaning.
"""

from enum import Enum


class Code(Enum):
    # the command
    MALFORMED = "MALFORMED"
    POISON = "POISON"
    EXPIRED = "EXPIRED"
    KEY_REUSED = "KEY_REUSED"

    # what it speaks of
    UNKNOWN_ASSET = "UNKNOWN_ASSET"
    UNKNOWN_MARKET = "UNKNOWN_MARKET"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    INVALID_ASSET = "INVALID_ASSET"
    INVALID_MARKET = "INVALID_MARKET"
    INVALID_ACCOUNT = "INVALID_ACCOUNT"
    DUPLICATE_CLIENT_ORDER_ID = "DUPLICATE_CLIENT_ORDER_ID"

    # the order's form
    INVALID_ORDER = "INVALID_ORDER"
    AMOUNT_OUT_OF_RANGE = "AMOUNT_OUT_OF_RANGE"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    QUANTITY_OFF_STEP = "QUANTITY_OFF_STEP"
    QUANTITY_TOO_SMALL = "QUANTITY_TOO_SMALL"
    QUANTITY_TOO_LARGE = "QUANTITY_TOO_LARGE"
    NOTIONAL_TOO_SMALL = "NOTIONAL_TOO_SMALL"
    PRICE_OUT_OF_BAND = "PRICE_OUT_OF_BAND"

    # the book and the balances
    WOULD_TAKE = "WOULD_TAKE"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
