"""What happened. Events are complete: a reader needs no state of its own to understand one, and of
the commands only that of an accepted order.

`number` counts the changes of one market's depth, or the events of one account, without a gap.
"""

import msgspec

from engine.core.commands import OrderTerms
from engine.core.messages import Message
from engine.core.rejections import Code
from engine.core.types import (
    Change,
    Liquidity,
    ListStatus,
    OrderStatus,
    Phase,
    Side,
    WithdrawalStatus,
)


class AssetDefined(Message, frozen=True, tag="asset_defined"):
    symbol: str
    scale: int


class MarketDefined(Message, frozen=True, tag="market_defined"):
    symbol: str
    base: str
    quote: str
    tick: int
    step: int
    min_quantity: int
    max_quantity: int
    min_notional: int
    band_down_ppm: int
    band_up_ppm: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    max_notional: int
    max_open_orders: int | None
    max_conditional_orders: int | None
    trigger_band_ppm: int
    guard_ppm: int | None
    guard_window_ms: int
    guard_pause_ms: int


class FeesSet(Message, frozen=True, tag="fees_set"):
    market: str
    tier: int
    maker_fee_ppm: int
    taker_fee_ppm: int


class PhaseChanged(Message, frozen=True, tag="phase_changed"):
    """By an operator, by the volatility guard, or by the time at which a call ends."""

    market: str
    phase: Phase
    until: int | None
    """When an auction will open the market by itself."""


class AccountConfigured(Message, frozen=True, tag="account_configured"):
    account: int
    tier: int
    trade_group: int | None
    frozen: bool
    unlimited_orders: bool


class NotionalLimited(Message, frozen=True, tag="notional_limited"):
    account: int
    asset: str
    amount: int | None


class OrderState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An order at one moment."""

    order_id: int
    terms: OrderTerms
    status: OrderStatus
    executed_quantity: int
    executed_quote_quantity: int
    prevented_quantity: int
    """What self-trade prevention took of it."""
    created_at: int
    updated_at: int
    working_since: int | None
    """When it entered the book or traded first; None while it waits for its trigger."""
    list_id: int | None
    """The order list that it is a leg of."""


class Fill(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One order's half of a trade. The fee is in the asset that was received."""

    trade_id: int
    price: int
    quantity: int
    quote_quantity: int
    fee: int
    fee_asset: str
    liquidity: Liquidity


class OrderAccepted(Message, frozen=True, tag="order_accepted"):
    """The order of the command has an id now. It is written so short because it is written most:
    readers of the journal get the `OrderUpdated` that it stands for (see `acceptance.py`)."""

    number: int
    order_id: int


class OrderUpdated(Message, frozen=True, tag="order_updated"):
    number: int
    change: Change
    order: OrderState
    fill: Fill | None = None
    """With `traded`."""


class OrderListUpdated(Message, frozen=True, tag="order_list_updated"):
    """Two orders were tied together, or are so no more."""

    number: int
    list_id: int
    account: int
    market: str
    client_list_id: str | None
    status: ListStatus
    order_ids: tuple[int, ...]
    updated_at: int


class Traded(Message, frozen=True, tag="traded"):
    """Two orders met at the maker's price, or in an auction at its clearing price.

    Trade ids count per market from 1, without a gap. An auction has two makers; the younger
    order's side stands as the taker's then.
    """

    market: str
    trade_id: int
    price: int
    quantity: int
    quote_quantity: int
    taker_side: Side
    buyer: int
    seller: int
    buy_order_id: int
    sell_order_id: int
    buyer_fee: int
    """In the base asset."""
    seller_fee: int
    """In the quote asset."""


class DepthChanged(Message, frozen=True, tag="depth_changed"):
    """The quantity that now stands at a price; 0 where the level is gone."""

    market: str
    number: int
    side: Side
    price: int
    quantity: int


class Deposited(Message, frozen=True, tag="deposited"):
    number: int
    account: int
    asset: str
    amount: int
    key: str


class Transferred(Message, frozen=True, tag="transferred"):
    """Each of the two accounts hears of it once: `account` does, under its own `number`."""

    number: int
    account: int
    other: int
    asset: str
    amount: int
    """Positive where `account` received."""
    key: str


class WithdrawalUpdated(Message, frozen=True, tag="withdrawal_updated"):
    number: int
    account: int
    withdrawal_id: int
    asset: str
    amount: int
    status: WithdrawalStatus
    key: str


class TimerSet(Message, frozen=True, tag="timer_set"):
    """All of the account's orders, or those of one market, are cancelled at `due`; None: never."""

    account: int
    market: str | None
    due: int | None


class BalanceChanged(Message, frozen=True, tag="balance_changed"):
    """A balance after a command: at most one event per account and asset and command."""

    number: int
    account: int
    asset: str
    available: int
    locked: int


class Rejected(Message, frozen=True, tag="rejected"):
    """The command, or one step of a cancel-replace, changed nothing."""

    code: Code
    detail: str


Event = (
    AssetDefined
    | MarketDefined
    | FeesSet
    | PhaseChanged
    | AccountConfigured
    | NotionalLimited
    | OrderAccepted
    | OrderUpdated
    | OrderListUpdated
    | Traded
    | DepthChanged
    | Deposited
    | Transferred
    | WithdrawalUpdated
    | TimerSet
    | BalanceChanged
    | Rejected
)
