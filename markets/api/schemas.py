"""What goes in and out of `/api/v1`, as `docs` promise it."""

from typing import Annotated, Final

import msgspec

from engine.core.types import (
    Liquidity,
    OrderStatus,
    OrderType,
    Phase,
    ReplaceMode,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.intervals import Interval
from exchange_site.api.fields import Amount, ClientOrderId, Id, SignedAmount, Symbol, Time

TrailingDelta = Annotated[int, msgspec.Meta(ge=1, le=5_000, description="In basis points.")]


class LegIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one of two orders has for itself, while both have one symbol, side and quantity."""

    type: OrderType
    time_in_force: TimeInForce | None = None
    """`gtc` for an order with a limit, `ioc` for any other, unless given."""
    price: Amount | None = None
    """The limit."""
    stop_price: Amount | None = None
    """The last price that triggers a conditional order, or from which on a trailing one is
    tracked."""
    trailing_delta: TrailingDelta | None = None
    visible_quantity: Amount | None = None
    """Of an iceberg: what the book shows of it at a time."""
    post_only: bool = False
    client_order_id: ClientOrderId | None = None
    good_till: Time | None = None
    """When a `gtd` order expires."""


class OrderIn(LegIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order. A limit order has `price` and `quantity`; a market order has `quantity`, or, to
    buy, `quote_quantity`: how much of the quote asset to spend. A conditional order has `quantity`
    and `stop_price`, `trailing_delta` or both, and where its type ends in `_limit`, `price`."""

    symbol: Symbol
    side: Side
    quantity: Amount | None = None
    quote_quantity: Amount | None = None
    protection_price: Amount | None = None
    """Of a market order: beyond it nothing trades."""
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.NONE


class OrderQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One order, by exactly one of its ids."""

    symbol: Symbol
    order_id: Id | None = None
    client_order_id: ClientOrderId | None = None


class AmendIn(OrderQuery, frozen=True, forbid_unknown_fields=True):
    """Which order, and what shall be another: at least one of the three."""

    price: Amount | None = None
    quantity: Amount | None = None
    """The new total: what has traded already counts."""
    new_client_order_id: ClientOrderId | None = None


class ReplaceIn(OrderIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new order, and by exactly one of its ids the one to cancel before, in the same market."""

    cancel_order_id: Id | None = None
    cancel_client_order_id: ClientOrderId | None = None
    mode: ReplaceMode = ReplaceMode.STOP_ON_FAILURE


class OrderListHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What both orders of a list have."""

    symbol: Symbol
    side: Side
    quantity: Amount
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.NONE
    client_list_id: ClientOrderId | None = None


class OrderListIn(OrderListHead, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two orders of which one cancels the other. Each is conditional or a post-only limit order,
    at least one is conditional, and they wait on different sides of the last price."""

    legs: Annotated[list[LegIn], msgspec.Meta(min_length=2, max_length=2)]


class OrderListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One open order list, by exactly one of its ids."""

    symbol: Symbol
    list_id: Id | None = None
    client_list_id: ClientOrderId | None = None


class CancelAfterIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A timer; of one market or of all."""

    timeout_ms: Annotated[int, msgspec.Meta(ge=0, le=86_400_000)]
    """0 stops it."""
    symbol: Symbol | None = None


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
    protection_price: Amount | None
    stop_price: Amount | None
    trailing_delta: int | None
    visible_quantity: Amount | None
    self_trade_prevention: SelfTradePrevention
    order_id: Id
    status: OrderStatus
    executed_quantity: Amount
    executed_quote_quantity: Amount
    prevented_quantity: Amount
    """What self-trade prevention took; in the quote asset where the order has `quote_quantity`."""
    list_id: Id | None
    """The order list that it is of."""
    created_at: Time
    updated_at: Time
    working_since: Time | None
    """When it entered the book or traded first; null while it waits for its trigger."""
    fills: list[FillOut]


class OrderListOut(msgspec.Struct, frozen=True):
    list_id: Id
    orders: list[OrderOut]


class CancelAfterOut(msgspec.Struct, frozen=True):
    """The timer that runs now; none where `timeout_ms` is 0."""

    symbol: Symbol | None
    timeout_ms: int


class MarketOut(msgspec.Struct, frozen=True):
    """A market's rules, and its phase of about a second ago. A limit that is null does not
    apply. Shares are in parts per million: bands of the last price, fees of what is received."""

    symbol: Symbol
    base: str
    quote: str
    phase: Phase
    phase_until: Time | None
    """When an auction will open the market by itself."""
    tick: Amount
    step: Amount
    min_quantity: Amount
    max_quantity: Amount
    min_notional: Amount
    max_notional: Amount | None
    band_down_ppm: int
    band_up_ppm: int
    trigger_band_ppm: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    max_open_orders: int | None
    max_conditional_orders: int | None
    guard_ppm: int | None
    guard_window_ms: int
    guard_pause_ms: int


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


class MarketsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol | None = None


class TickersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol | None = None


class TradesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: Symbol
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 500
    from_id: Id | None = None
    """The oldest trade wanted; the newest ones without it."""
