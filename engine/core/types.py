"""The vocabulary of orders: small closed sets, written on the wire by their values."""

from enum import Enum
from typing import Final

MAX_AMOUNT: Final = 2**63 - 1
"""The largest price, quantity, notional or balance, in smallest units. Larger ones are refused."""

MAX_SCALE: Final = 8
"""The most decimal places of an asset."""

PPM: Final = 1_000_000
"""Parts per million: the unit of fee rates and price bands."""


# The members of the sets below are also bound to names of their own: reaching a member through its
# class costs five times as much as a global name on Python 3.11, and the hot path asks often.


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


BUY: Final = Side.BUY
SELL: Final = Side.SELL


class OrderType(Enum):
    LIMIT = "limit"
    MARKET = "market"


LIMIT: Final = OrderType.LIMIT
MARKET: Final = OrderType.MARKET


class TimeInForce(Enum):
    """How long an order stands: see `docs/ORDERS.md`."""

    GTC = "gtc"  # good till cancelled
    IOC = "ioc"  # immediate or cancel: what cannot trade now expires
    FOK = "fok"  # fill or kill: all of it now, or none
    GTD = "gtd"  # good till date: expires at `good_till`


GTC: Final = TimeInForce.GTC
IOC: Final = TimeInForce.IOC
FOK: Final = TimeInForce.FOK
GTD: Final = TimeInForce.GTD


class OrderStatus(Enum):
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


NEW: Final = OrderStatus.NEW
PARTIALLY_FILLED: Final = OrderStatus.PARTIALLY_FILLED
FILLED: Final = OrderStatus.FILLED
CANCELED: Final = OrderStatus.CANCELED
EXPIRED: Final = OrderStatus.EXPIRED


class Liquidity(Enum):
    MAKER = "maker"
    TAKER = "taker"


MAKER: Final = Liquidity.MAKER
TAKER: Final = Liquidity.TAKER
