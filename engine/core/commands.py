"""What the engine can be told to do. Everything that decides is a command.

Amounts are integers. Quantities, balances and quote amounts count the smallest unit of their
asset (10^-scale). A price counts smallest units of the quote asset per whole unit of the base
asset, so that `price * quantity // 10**base.scale` is an amount of the quote asset; a valid
market makes that division exact (see `markets.py`). Times are milliseconds since the epoch, UTC.

A `key` makes a command idempotent: the first reply to an account's key answers every repetition
for 24 hours (see `idempotency.py`).
"""

from typing import Annotated

import msgspec

from engine.core.messages import ClientOrderId, Int64, Key, Message, Symbol
from engine.core.types import (
    MAX_AMOUNT,
    NO_PREVENTION,
    OrderStatus,
    OrderType,
    Phase,
    ReplaceMode,
    SelfTradePrevention,
    Side,
    TimeInForce,
)


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
    """Lowest limit price, in parts per million of the last price; there is no band before that."""
    band_up_ppm: Int64
    maker_fee_ppm: Int64
    """Signed parts per million of what the maker receives; a rebate where negative."""
    taker_fee_ppm: Int64
    max_notional: Int64 = MAX_AMOUNT
    max_open_orders: Int64 | None = None
    """Of one account, conditional ones included; None: as many as it likes."""
    max_conditional_orders: Int64 | None = None
    trigger_band_ppm: Int64 = 50_000
    """How far above its trigger price a conditional buy without a limit may trade."""
    guard_ppm: Int64 | None = None
    """A trade this far from the price of `guard_window_ms` ago pauses the market; None: never."""
    guard_window_ms: Int64 = 10_000
    guard_pause_ms: Int64 = 60_000
    """How long orders gather then, before an auction opens the market again."""


class SetFees(Message, frozen=True, tag="set_fees"):
    """The fees of a market for accounts of one tier. Tier 0 has those of `DefineMarket`."""

    market: Symbol
    tier: Int64
    maker_fee_ppm: Int64
    taker_fee_ppm: Int64


class SetPhase(Message, frozen=True, tag="set_phase"):
    """Move a market to a phase. From a call to `open` or `post_only` leads an auction."""

    market: Symbol
    phase: Phase
    until: Int64 | None = None
    """With `pre_open`: when the market opens by itself."""


class ConfigureAccount(Message, frozen=True, tag="configure_account"):
    """All that the operator decides about an account; it exists from then on."""

    account: Int64
    tier: Int64 = 0
    trade_group: Int64 | None = None
    """Accounts of one group count as one owner for self-trade prevention."""
    frozen: bool = False
    """A frozen account can cancel and receive; its standing orders trade on until then."""
    unlimited_orders: bool = False
    """The markets' limits on open orders do not apply."""


class LimitNotional(Message, frozen=True, tag="limit_notional"):
    """The most that an account's open orders may be worth, in the markets of one quote asset."""

    account: Int64
    asset: Symbol
    amount: Int64 | None
    """None: no limit."""


class Deposit(Message, frozen=True, tag="deposit"):
    """Credit an account with funds that arrived from outside."""

    account: Int64
    asset: Symbol
    amount: Int64
    key: Key
    """Names the deposit: idempotency key and audit reference in one."""


class Transfer(Message, frozen=True, tag="transfer"):
    """Move funds from one account to another."""

    account: Int64
    to: Int64
    asset: Symbol
    amount: Int64
    key: Key


class ReserveWithdrawal(Message, frozen=True, tag="reserve_withdrawal"):
    """Lock funds that are about to leave. They leave, or come back, by the next two commands."""

    account: Int64
    asset: Symbol
    amount: Int64
    key: Key


class SettleWithdrawal(Message, frozen=True, tag="settle_withdrawal"):
    """The reserved funds have left."""

    account: Int64
    withdrawal_id: Int64


class ReleaseWithdrawal(Message, frozen=True, tag="release_withdrawal"):
    """The reserved funds stay: they are available again."""

    account: Int64
    withdrawal_id: Int64


class OrderTerms(
    msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True
):
    """What an order asks for. Shared, unchanged, by the command, the events and the replies."""

    account: Int64
    market: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: Int64 | None
    """The limit. A market order may have one too, beyond which its rest expires."""
    quantity: Int64 | None
    quote_quantity: Int64 | None = None
    """Instead of `quantity` for a market buy: how much of the quote asset to spend."""
    post_only: bool = False
    client_order_id: ClientOrderId | None = None
    """The caller's own name for the order; unique among the account's open orders in the market."""
    good_till: Int64 | None = None
    """When a GTD order expires."""
    stop_price: Int64 | None = None
    """The last price that triggers a conditional order, or starts to track a trailing one."""
    trailing_delta: Int64 | None = None
    """In basis points: triggers where the price comes back so far from the best one it reached."""
    visible_quantity: Int64 | None = None
    """Of an iceberg: what the book shows of it at a time."""
    self_trade_prevention: SelfTradePrevention = NO_PREVENTION


class PlaceOrder(Message, frozen=True, tag="place_order"):
    terms: OrderTerms
    expires_at: Int64
    """The command is refused when the engine sees it later than this."""
    key: Key | None = None


class PlaceOrderList(Message, frozen=True, tag="place_order_list"):
    """Two orders of which one cancels the other: the first that trades or triggers stays.

    Same account, market, side and quantity; one leg waits above the last price, one below. Each
    is conditional or a post-only limit order, and at least one is conditional.
    """

    legs: Annotated[tuple[OrderTerms, ...], msgspec.Meta(min_length=2, max_length=2)]
    expires_at: Int64
    client_list_id: ClientOrderId | None = None
    key: Key | None = None


class AmendOrder(Message, frozen=True, tag="amend_order"):
    """Change an open order's price or total quantity, by either id.

    Less quantity at the same price keeps the place in the queue, anything else loses it. The new
    quantity counts what has traded already.
    """

    account: Int64
    market: Symbol
    expires_at: Int64
    order_id: Int64 | None = None
    client_order_id: ClientOrderId | None = None
    price: Int64 | None = None
    quantity: Int64 | None = None
    new_client_order_id: ClientOrderId | None = None


class ReplaceOrder(Message, frozen=True, tag="replace_order"):
    """Cancel an order by either id and place another. Two steps: the first may happen alone."""

    terms: OrderTerms
    mode: ReplaceMode
    expires_at: Int64
    order_id: Int64 | None = None
    client_order_id: ClientOrderId | None = None
    """Of the order to cancel, which has the account and the market of the new one."""
    only: OrderStatus | None = None
    """As with `CancelOrder`, for the order to cancel."""


class CancelOrder(Message, frozen=True, tag="cancel_order"):
    """Cancel an open order by either id. Cancels do not expire: late, they are still wanted."""

    account: Int64
    market: Symbol
    order_id: Int64 | None = None
    client_order_id: ClientOrderId | None = None
    only: OrderStatus | None = None
    """Cancel it only if it is in this state when the engine sees the command."""


class CancelOrderList(Message, frozen=True, tag="cancel_order_list"):
    """Cancel both orders of a list, by either id of the list."""

    account: Int64
    market: Symbol
    list_id: Int64 | None = None
    client_list_id: ClientOrderId | None = None


class CancelAll(Message, frozen=True, tag="cancel_all"):
    """Cancel every open order of an account; of one market, or of all."""

    account: Int64
    market: Symbol | None = None


class CancelAllAfter(Message, frozen=True, tag="cancel_all_after"):
    """The dead man's switch: cancel all, unless this command comes again within `timeout_ms`.

    One timer an account and market (or all markets); 0 stops it.
    """

    account: Int64
    timeout_ms: Int64
    market: Symbol | None = None


class Malformed(Message, frozen=True, tag="malformed"):
    """Stands in the journal for bytes in the queue that were no command."""

    size: Int64
    sha256: str


class Poison(Message, frozen=True, tag="poison"):
    """Stands in the journal for a message on which the engine failed time and again."""

    size: Int64
    sha256: str


Command = (
    DefineAsset
    | DefineMarket
    | SetFees
    | SetPhase
    | ConfigureAccount
    | LimitNotional
    | Deposit
    | Transfer
    | ReserveWithdrawal
    | SettleWithdrawal
    | ReleaseWithdrawal
    | PlaceOrder
    | PlaceOrderList
    | AmendOrder
    | ReplaceOrder
    | CancelOrder
    | CancelOrderList
    | CancelAll
    | CancelAllAfter
    | Malformed
    | Poison
)
