"""What the engine can be told to do. Everything that decides is a command.

Amounts are integers. Quantities, balances and quote amounts count the smallest unit of their
asset (10^-scale). A price counts smallest units of the quote asset per whole unit of the base
asset, so that `price * quantity // 10**base.scale` is an amount of the quote asset; a valid
market makes that division exact (see `markets.py`). Times are milliseconds since the epoch, UTC.

A `key` makes a command idempotent: the first reply to an account's key answers every repetition
for 24 hours (see `idempotency.py`).
"""

import msgspec

from engine.core.messages import ClientOrderId, Int64, Key, Message, Symbol
from engine.core.types import OrderType, Side, TimeInForce


class DefineAsset(Message, frozen=True, tag="define_asset"):
    """Create an asset with `scale` decimal places (0 to 8). The scale never changes again."""

    symbol: Symbol
    scale: Int64


class DefineMarket(Message, frozen=True, tag="define_market"):
    """Create a market, or change the rules of one. The two assets never change again.

    Orders that stand are not touched by new rules; fees apply from the next trade on.
    """

    symbol: Symbol
    base: Symbol
    quote: Symbol
    tick: Int64
    """Prices are multiples of this."""
    step: Int64
    """Quantities are multiples of this."""
    min_quantity: Int64
    max_quantity: Int64
    min_notional: Int64
    band_down_ppm: Int64
    """Lowest limit price, in parts per million of the last price. None before the first trade."""
    band_up_ppm: Int64
    maker_fee_ppm: Int64
    """Signed parts per million of what the maker receives; a rebate where negative."""
    taker_fee_ppm: Int64


class Deposit(Message, frozen=True, tag="deposit"):
    """Credit an account with funds that arrived from outside."""

    account: Int64
    asset: Symbol
    amount: Int64
    key: Key
    """Names the deposit: idempotency key and audit reference in one."""


class OrderTerms(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an order asks for. Shared, unchanged, by the command, the events and the replies."""

    account: Int64
    market: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: Int64 | None
    """The limit; None for a market order."""
    quantity: Int64 | None
    quote_quantity: Int64 | None = None
    """Instead of `quantity` for a market buy: how much of the quote asset to spend."""
    post_only: bool = False
    client_order_id: ClientOrderId | None = None
    """The caller's own name for the order; unique among the account's open orders."""
    good_till: Int64 | None = None
    """When a GTD order expires."""


class PlaceOrder(Message, frozen=True, tag="place_order"):
    terms: OrderTerms
    expires_at: Int64
    """The command is refused when the engine sees it later than this."""
    key: Key | None = None


class CancelOrder(Message, frozen=True, tag="cancel_order"):
    """Cancel an open order by either id. Cancels do not expire: late, they are still wanted."""

    account: Int64
    market: Symbol
    order_id: Int64 | None = None
    client_order_id: ClientOrderId | None = None


class Malformed(Message, frozen=True, tag="malformed"):
    """Stands in the journal for bytes in the queue that were no command."""

    size: Int64
    sha256: str


class Poison(Message, frozen=True, tag="poison"):
    """Stands in the journal for a message on which the engine failed time and again."""

    size: Int64
    sha256: str


Command = DefineAsset | DefineMarket | Deposit | PlaceOrder | CancelOrder | Malformed | Poison
