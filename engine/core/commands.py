"""What the engine can be told to do. Everything that decides is a command.

Amounts are integers. Quantities, balances and quote amounts count the smallest unit of their
asset (10^-scale). A price counts smallest units of the quote asset per whole unit of the base
asset, so that `price * quantity // 10**base.scale` is an amount of the quote asset; a valid
market makes that division exact (see `markets.py`). Times are milliseconds since the epoch, UTC.

A `key` makes a command idempotent: the first reply to an account's key answers every repetition
for 24 hours (see `idempotency.py`).
"""

import msgspec

from engine.core.messages import Message
from engine.core.types import OrderType, Side, TimeInForce


class DefineAsset(Message, frozen=True, tag="define_asset"):
    """Create an asset with `scale` decimal places (0 to 8). The scale never changes again."""

    symbol: str
    scale: int


class DefineMarket(Message, frozen=True, tag="define_market"):
    """Create a market, or change the rules of one. The two assets never change again.

    Orders that stand are not touched by new rules; fees apply from the next trade on.
    """

    symbol: str
    base: str
    quote: str
    tick: int
    """Prices are multiples of this."""
    step: int
    """Quantities are multiples of this."""
    min_quantity: int
    max_quantity: int
    min_notional: int
    band_down_ppm: int
    """Lowest limit price, in parts per million of the last price. None before the first trade."""
    band_up_ppm: int
    maker_fee_ppm: int
    """Signed parts per million of what the maker receives; a rebate where negative."""
    taker_fee_ppm: int


class Deposit(Message, frozen=True, tag="deposit"):
    """Credit an account with funds that arrived from outside."""

    account: int
    asset: str
    amount: int
    key: str
    """Names the deposit: idempotency key and audit reference in one."""


class OrderTerms(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an order asks for. Shared, unchanged, by the command, the events and the replies."""

    account: int
    market: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: int | None
    """The limit; None for a market order."""
    quantity: int | None
    quote_quantity: int | None = None
    """Instead of `quantity` for a market buy: how much of the quote asset to spend."""
    post_only: bool = False
    client_order_id: str | None = None
    """The caller's own name for the order; unique among the account's open orders."""
    good_till: int | None = None
    """When a GTD order expires."""


class PlaceOrder(Message, frozen=True, tag="place_order"):
    terms: OrderTerms
    expires_at: int
    """The command is refused when the engine sees it later than this."""
    key: str | None = None


class CancelOrder(Message, frozen=True, tag="cancel_order"):
    """Cancel an open order by either id. Cancels do not expire: late, they are still wanted."""

    account: int
    market: str
    order_id: int | None = None
    client_order_id: str | None = None


class Malformed(Message, frozen=True, tag="malformed"):
    """Stands in the journal for bytes in the queue that were no command."""

    size: int
    sha256: str


Command = DefineAsset | DefineMarket | Deposit | PlaceOrder | CancelOrder | Malformed
