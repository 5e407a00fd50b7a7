"""The vocabulary of orders: small closed sets, written on the wire by their values."""

from enum import Enum
from typing import Final

MAX_AMOUNT: Final = 2**63 - 1
"""The largest price, quantity, notional or balance, in smallest units. Larger ones are refused."""

MAX_SCALE: Final = 8
"""The most decimal places of an asset."""

PPM: Final = 1_000_000
"""Parts per million: the unit of fee rates and price bands."""


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class OrderType(Enum):
    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(Enum):
    """How long an order stands: see `docs/ORDERS.md`."""

    GTC = "gtc"  # good till cancelled
    IOC = "ioc"  # immediate or cancel: what cannot trade now expires
    FOK = "fok"  # fill or kill: all of it now, or none
    GTD = "gtd"  # good till date: expires at `good_till`


class OrderStatus(Enum):
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Liquidity(Enum):
    MAKER = "maker"
    TAKER = "taker"
