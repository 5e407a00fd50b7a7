"""The vocabulary of orders: small closed sets, written on the wire by their values."""

from enum import StrEnum
from typing import Final

MAX_AMOUNT: Final = 2**63 - 1
"""The largest price, quantity, notional or balance, in smallest units. Larger ones are refused."""

_WORD: Final = 2**61
"""The compiled core keeps smaller numbers in a machine word; comparing others is slow."""


def is_amount(number: int) -> bool:
    """Is it positive, and not too large to be a price, a quantity or a notional?"""
    return number > 0 and (number < _WORD or number <= MAX_AMOUNT)


MAX_EVENTS: Final = 10_000
"""After so many events of a command or tick, what can wait waits for the next one."""

MAX_SCALE: Final = 8
"""The most decimal places of an asset."""

PPM: Final = 1_000_000
"""Parts per million: the unit of fee rates and price bands."""

BASIS_POINTS: Final = 10_000
"""Parts of the whole in which a trailing delta is given."""


# The members of the sets below are also bound to names of their own: reaching a member through its
# class costs five times as much as a global name on Python 3.11, and the hot path asks often.


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


BUY: Final = Side.BUY
SELL: Final = Side.SELL


class OrderType(StrEnum):
    """The last four are conditional: they wait for the last price to reach their stop price."""

    LIMIT = "limit"
    MARKET = "market"
    STOP_LOSS = "stop_loss"
    STOP_LOSS_LIMIT = "stop_loss_limit"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"


LIMIT: Final = OrderType.LIMIT
MARKET: Final = OrderType.MARKET
STOP_LOSS: Final = OrderType.STOP_LOSS
STOP_LOSS_LIMIT: Final = OrderType.STOP_LOSS_LIMIT
TAKE_PROFIT: Final = OrderType.TAKE_PROFIT
TAKE_PROFIT_LIMIT: Final = OrderType.TAKE_PROFIT_LIMIT


class TimeInForce(StrEnum):
    """How long an order stands: see `docs/ORDERS.md`."""

    GTC = "gtc"  # good till cancelled
    IOC = "ioc"  # immediate or cancel: what cannot trade now expires
    FOK = "fok"  # fill or kill: all of it now, or none
    GTD = "gtd"  # good till date: expires at `good_till`


GTC: Final = TimeInForce.GTC
IOC: Final = TimeInForce.IOC
FOK: Final = TimeInForce.FOK
GTD: Final = TimeInForce.GTD


class SelfTradePrevention(StrEnum):
    """What happens where an order would trade with one of its own account or trade group.

    The order that arrives decides for both.
    """

    NONE = "none"  # they trade
    EXPIRE_TAKER = "expire_taker"
    EXPIRE_MAKER = "expire_maker"
    EXPIRE_BOTH = "expire_both"
    DECREMENT = "decrement"  # both lose the smaller quantity; what has none left expires


NO_PREVENTION: Final = SelfTradePrevention.NONE
EXPIRE_TAKER: Final = SelfTradePrevention.EXPIRE_TAKER
EXPIRE_MAKER: Final = SelfTradePrevention.EXPIRE_MAKER
EXPIRE_BOTH: Final = SelfTradePrevention.EXPIRE_BOTH
DECREMENT: Final = SelfTradePrevention.DECREMENT


class OrderStatus(StrEnum):
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


class Change(StrEnum):
    """What happened to an order."""

    ACCEPTED = "accepted"
    TRIGGERED = "triggered"  # its stop price was reached: from now on it works
    TRADED = "traded"
    AMENDED = "amended"
    PREVENTED = "prevented"  # self-trade prevention took its quantity, or a part of it
    CANCELED = "canceled"  # by its owner, or by the owner's timer
    EXPIRED = "expired"  # by its own terms, or by its list


ACCEPTED: Final = Change.ACCEPTED
TRIGGERED: Final = Change.TRIGGERED
TRADED: Final = Change.TRADED
AMENDED: Final = Change.AMENDED
PREVENTED: Final = Change.PREVENTED


class ListStatus(StrEnum):
    EXECUTING = "executing"
    DONE = "done"


class Phase(StrEnum):
    """What a market allows: see `docs/ORDERS.md`."""

    PRE_OPEN = "pre_open"  # orders gather for an auction; the book may be crossed
    OPEN = "open"  # continuous trading
    POST_ONLY = "post_only"  # orders may stand, none may trade
    CANCEL_ONLY = "cancel_only"
    HALTED = "halted"  # nothing moves, cancels included
    CLOSED = "closed"  # cancels only, until the market opens again


PRE_OPEN: Final = Phase.PRE_OPEN
OPEN: Final = Phase.OPEN
POST_ONLY: Final = Phase.POST_ONLY
CANCEL_ONLY: Final = Phase.CANCEL_ONLY
HALTED: Final = Phase.HALTED
CLOSED: Final = Phase.CLOSED


class ReplaceMode(StrEnum):
    """Whether the new order is placed where the old one could not be cancelled."""

    STOP_ON_FAILURE = "stop_on_failure"
    ALLOW_FAILURE = "allow_failure"


class WithdrawalStatus(StrEnum):
    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


MAKER: Final = Liquidity.MAKER
TAKER: Final = Liquidity.TAKER
