"""What happened. Events are complete: a reader needs no state of its own to understand one.

`number` counts the changes of one market's depth, or the events of one account, without a gap.
"""

import msgspec

from engine.core.commands import OrderTerms
from engine.core.messages import Message
from engine.core.rejections import Code
from engine.core.types import Liquidity, OrderStatus, Side


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


class OrderState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An order at one moment."""

    order_id: int
    terms: OrderTerms
    status: OrderStatus
    executed_quantity: int
    executed_quote_quantity: int
    created_at: int
    updated_at: int


class Fill(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One order's half of a trade. The fee is in the asset that was received."""

    trade_id: int
    price: int
    quantity: int
    quote_quantity: int
    fee: int
    fee_asset: str
    liquidity: Liquidity


class OrderUpdated(Message, frozen=True, tag="order_updated"):
    """An order was accepted, filled (then with its fill), cancelled, or expired."""

    number: int
    order: OrderState
    fill: Fill | None = None


class Traded(Message, frozen=True, tag="traded"):
    """Two orders met at the maker's price. Trade ids count per market from 1, without a gap."""

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


class BalanceChanged(Message, frozen=True, tag="balance_changed"):
    """A balance after a command: at most one event per account and asset and command."""

    number: int
    account: int
    asset: str
    available: int
    locked: int


class Rejected(Message, frozen=True, tag="rejected"):
    """The command changed nothing."""

    code: Code
    detail: str


Event = (
    AssetDefined
    | MarketDefined
    | OrderUpdated
    | Traded
    | DepthChanged
    | Deposited
    | BalanceChanged
    | Rejected
)
