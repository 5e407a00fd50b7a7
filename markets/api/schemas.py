"""What goes in and out of `/api/v1`, as `docs` promise it."""

from typing import Annotated, Final

import msgspec

from engine.core.types import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from engine.intervals import Interval
from exchange_site.api.fields import Amount, ClientOrderId, Id, SignedAmount, Symbol, Time


class OrderIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order. A limit order has `price` and `quantity`; a market order has `quantity`, or, to
    buy, `quote_quantity`: how much of the quote asset to spend."""

    symbol: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce | None = None
    """`gtc` for a limit order, `ioc` for a market order, unless given."""
    price: Amount | None = None
    quantity: Amount | None = None
    quote_quantity: Amount | None = None
    post_only: bool = False
    client_order_id: ClientOrderId | None = None
    good_till: Time | None = None
    """When a `gtd` order expires."""


class OrderQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One order, by exactly one of its ids."""

    symbol: Symbol
    order_id: Id | None = None
    client_order_id: ClientOrderId | None = None


MAX_ORDERS: Final = 100


class OrdersIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Orders to place together."""

    orders: Annotated[list[OrderIn], msgspec.Meta(min_length=1, max_length=MAX_ORDERS)]


class CancelsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which orders to cancel: those listed; else all open ones, of one market or of all."""

    symbol: Symbol | None = None
    orders: (
        Annotated[list[OrderQuery], msgspec.Meta(min_length=1, max_length=MAX_ORDERS)] | None
    ) = None


class FillOut(msgspec.Struct, frozen=True):
    """One order's half of a trade."""

    trade_id: Id
    price: Amount
    quantity: Amount
    fee: SignedAmount
    """A rebate where negative."""
    fee_asset: str
    liquidity: Liquidity


class AccountFillOut(msgspec.Struct, frozen=True):
    """A fill, and where it belongs."""

    symbol: Symbol
    order_id: Id
    side: Side
    trade_id: Id
    price: Amount
    quantity: Amount
    quote_quantity: Amount
    fee: SignedAmount
    fee_asset: str
    liquidity: Liquidity
    time: Time


class OrderOut(msgspec.Struct, frozen=True):
    """An order. `fills` are those that a placement brought, and else all of them, up to the 5000
    newest in one answer (`/fills` pages through more). They come from the history, which can be a
    moment behind the engine: the newest may be missing, and then their quantities sum up to less
    than `executed_quantity`, which is exact. No answer waits long or fails for them."""

    symbol: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: Amount | None
    quantity: Amount | None
    quote_quantity: Amount | None
    post_only: bool
    client_order_id: str | None
    good_till: Time | None
    order_id: Id
    status: OrderStatus
    executed_quantity: Amount
    executed_quote_quantity: Amount
    created_at: Time
    updated_at: Time
    fills: list[FillOut]


class BalanceOut(msgspec.Struct, frozen=True):
    """`locked` is what open orders hold."""

    asset: str
    available: Amount
    locked: Amount


Level = tuple[Amount, Amount]


class DepthOut(msgspec.Struct, frozen=True):
    """Levels `[price, quantity]`, best first."""

    symbol: Symbol
    last_update_id: Id
    bids: list[Level]
    asks: list[Level]


class CandleOut(msgspec.Struct, frozen=True):
    """The trades of one interval."""

    open_time: Time
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount
    quote_volume: Amount
    trades: int
    close_time: Time


class TradeOut(msgspec.Struct, frozen=True):
    """A public trade. Ids count per market from 1, without a gap."""

    trade_id: Id
    price: Amount
    quantity: Amount
    quote_quantity: Amount
    taker_side: Side
    time: Time


class TickerOut(msgspec.Struct, frozen=True):
    """A market's last 24 hours. Prices are null where nothing ever traded."""

    symbol: Symbol
    open: Amount | None
    high: Amount | None
    low: Amount | None
    last: Amount | None
    price_change: SignedAmount
    price_change_percent: SignedAmount
    volume: Amount
    quote_volume: Amount
    trades: int
    open_time: Time
    close_time: Time


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A path without parameters."""


class OpenOrdersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol | None = None


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol | None = None
    from_id: Id | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 500


class FillsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol | None = None
    order_id: Id | None = None
    from_id: Id | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 500


class DepthQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol
    limit: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 100


class KlineQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol
    interval: Interval
    start_time: Time | None = None
    end_time: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 500


class TickersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol | None = None


class TradesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 500
    from_id: Id | None = None
    """The oldest trade wanted; the newest ones without it."""
