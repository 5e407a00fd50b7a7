"""What the endpoints answer, field by field as Binance documents it.

Amounts have exactly eight decimals, times are milliseconds since the epoch UTC, ids integers.
"""

from typing import Annotated, Any

import msgspec

Amount = Annotated[
    str, msgspec.Meta(description="Exactly eight decimals.", examples=["0.01500000"])
]
Milliseconds = int


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    pass


class Empty(Payload, frozen=True):
    pass


class Error(msgspec.Struct, frozen=True):
    """`code` is stable, and so is `msg`; `data` says of `order/cancelReplace` what became of its
    steps."""

    code: int
    msg: str
    data: "Replaced | msgspec.UnsetType" = msgspec.UNSET


# general


class ServerTime(Payload, frozen=True):
    server_time: Milliseconds


class RateLimit(Payload, frozen=True):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class RateLimitUsage(Payload, frozen=True):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int


class PriceFilter(Payload, frozen=True, tag_field="filterType", tag="PRICE_FILTER"):
    min_price: Amount
    max_price: Amount
    tick_size: Amount


class LotSize(Payload, frozen=True, tag_field="filterType", tag="LOT_SIZE"):
    min_qty: Amount
    max_qty: Amount
    step_size: Amount


class MarketLotSize(Payload, frozen=True, tag_field="filterType", tag="MARKET_LOT_SIZE"):
    min_qty: Amount
    max_qty: Amount
    step_size: Amount


class PercentPriceBySide(Payload, frozen=True, tag_field="filterType", tag="PERCENT_PRICE_BY_SIDE"):
    bid_multiplier_up: Amount
    bid_multiplier_down: Amount
    ask_multiplier_up: Amount
    ask_multiplier_down: Amount
    avg_price_mins: int


class Notional(Payload, frozen=True, tag_field="filterType", tag="NOTIONAL"):
    min_notional: Amount
    apply_min_to_market: bool
    max_notional: Amount
    apply_max_to_market: bool
    avg_price_mins: int


class TrailingDelta(Payload, frozen=True, tag_field="filterType", tag="TRAILING_DELTA"):
    """In basis points."""

    min_trailing_above_delta: int
    max_trailing_above_delta: int
    min_trailing_below_delta: int
    max_trailing_below_delta: int


class IcebergParts(Payload, frozen=True, tag_field="filterType", tag="ICEBERG_PARTS"):
    limit: int


class MaxOrders(Payload, frozen=True, tag_field="filterType", tag="MAX_NUM_ORDERS"):
    max_num_orders: int


class MaxConditionalOrders(Payload, frozen=True, tag_field="filterType", tag="MAX_NUM_ALGO_ORDERS"):
    max_num_algo_orders: int


Filter = (
    PriceFilter
    | LotSize
    | MarketLotSize
    | TrailingDelta
    | PercentPriceBySide
    | Notional
    | IcebergParts
    | MaxOrders
    | MaxConditionalOrders
)


class SymbolInfo(Payload, frozen=True):
    symbol: str
    status: str
    base_asset: str
    base_asset_precision: int
    quote_asset: str
    quote_precision: int
    quote_asset_precision: int
    base_commission_precision: int
    quote_commission_precision: int
    order_types: list[str]
    iceberg_allowed: bool
    oco_allowed: bool
    oto_allowed: bool
    opo_allowed: bool
    quote_order_qty_market_allowed: bool
    allow_trailing_stop: bool
    cancel_replace_allowed: bool
    amend_allowed: bool
    peg_instructions_allowed: bool
    is_spot_trading_allowed: bool
    is_margin_trading_allowed: bool
    filters: list[Filter]
    permissions: list[str]
    permission_sets: list[list[str]]
    default_self_trade_prevention_mode: str
    allowed_self_trade_prevention_modes: list[str]


class ExchangeInfo(Payload, frozen=True):
    timezone: str
    server_time: Milliseconds
    rate_limits: list[RateLimit]
    exchange_filters: list[Filter]
    symbols: list[SymbolInfo]


# market data

Level = tuple[Amount, Amount]


class Depth(Payload, frozen=True):
    last_update_id: int
    bids: list[Level]
    asks: list[Level]


class PublicTrade(Payload, frozen=True):
    id: int
    price: Amount
    qty: Amount
    quote_qty: Amount
    time: Milliseconds
    is_buyer_maker: bool
    is_best_match: bool = True


class AggregateTrade(msgspec.Struct, frozen=True):
    """Every trade is an aggregate of itself alone, and has its own id."""

    a: int
    p: Amount
    q: Amount
    f: int
    l: int  # noqa: E741 - Binance's name
    T: Milliseconds
    m: bool
    M: bool = True


Candle = tuple[
    Milliseconds, Amount, Amount, Amount, Amount, Amount, Milliseconds, Amount, int, Amount,
    Amount, str,
]  # fmt: skip


class AveragePrice(Payload, frozen=True):
    mins: int
    price: Amount
    close_time: Milliseconds


class MiniTicker(Payload, frozen=True):
    symbol: str
    open_price: Amount
    high_price: Amount
    low_price: Amount
    last_price: Amount
    volume: Amount
    quote_volume: Amount
    open_time: Milliseconds
    close_time: Milliseconds
    first_id: int
    last_id: int
    count: int


class FullTicker(Payload, frozen=True):
    symbol: str
    price_change: Amount
    price_change_percent: str
    weighted_avg_price: Amount
    prev_close_price: Amount
    last_price: Amount
    last_qty: Amount
    bid_price: Amount
    bid_qty: Amount
    ask_price: Amount
    ask_qty: Amount
    open_price: Amount
    high_price: Amount
    low_price: Amount
    volume: Amount
    quote_volume: Amount
    open_time: Milliseconds
    close_time: Milliseconds
    first_id: int
    last_id: int
    count: int


class PriceTicker(Payload, frozen=True):
    symbol: str
    price: Amount


class BookTicker(Payload, frozen=True):
    symbol: str
    bid_price: Amount
    bid_qty: Amount
    ask_price: Amount
    ask_qty: Amount


# orders


class OrderFill(Payload, frozen=True):
    price: Amount
    qty: Amount
    commission: Amount
    commission_asset: str
    trade_id: int


class OfSomeOrders(Payload, frozen=True, kw_only=True):
    """What an answer has only of an order that has it, too."""

    stop_price: Amount | msgspec.UnsetType = msgspec.UNSET
    trailing_delta: int | msgspec.UnsetType = msgspec.UNSET
    iceberg_qty: Amount | msgspec.UnsetType = msgspec.UNSET
    prevented_quantity: Amount | msgspec.UnsetType = msgspec.UNSET


class OrderAck(Payload, frozen=True):
    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: Milliseconds


class OrderResult(OfSomeOrders, frozen=True, kw_only=True):
    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: Milliseconds
    price: Amount
    orig_qty: Amount
    executed_qty: Amount
    orig_quote_order_qty: Amount
    cummulative_quote_qty: Amount
    status: str
    time_in_force: str
    type: str
    side: str
    working_time: Milliseconds
    self_trade_prevention_mode: str


class OrderFull(OrderResult, frozen=True, kw_only=True):
    fills: list[OrderFill]


Placed = OrderAck | OrderResult | OrderFull


class CanceledOrder(OfSomeOrders, frozen=True, kw_only=True):
    symbol: str
    orig_client_order_id: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: Milliseconds
    price: Amount
    orig_qty: Amount
    executed_qty: Amount
    orig_quote_order_qty: Amount
    cummulative_quote_qty: Amount
    status: str
    time_in_force: str
    type: str
    side: str
    self_trade_prevention_mode: str


class Order(OfSomeOrders, frozen=True, kw_only=True):
    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    price: Amount
    orig_qty: Amount
    executed_qty: Amount
    cummulative_quote_qty: Amount
    status: str
    time_in_force: str
    type: str
    side: str
    stop_price: Amount
    iceberg_qty: Amount
    time: Milliseconds
    update_time: Milliseconds
    is_working: bool
    working_time: Milliseconds
    orig_quote_order_qty: Amount
    self_trade_prevention_mode: str


class OrderListLeg(Payload, frozen=True):
    symbol: str
    order_id: int
    client_order_id: str


class OrderList(Payload, frozen=True):
    order_list_id: int
    contingency_type: str
    list_status_type: str
    list_order_status: str
    list_client_order_id: str
    transaction_time: Milliseconds
    symbol: str
    orders: list[OrderListLeg]


class PlacedOrderList(OrderList, frozen=True):
    order_reports: list[Any]
    """Each as `newOrderRespType` wants it, which is `RESULT` by default."""


class CanceledOrderList(OrderList, frozen=True):
    order_reports: list[CanceledOrder]


class Replaced(Payload, frozen=True):
    """Results are `SUCCESS`, `FAILURE` and `NOT_ATTEMPTED`. A response is what the single request
    would answer, or its error, or null where nothing was attempted."""

    cancel_result: str
    new_order_result: str
    cancel_response: Any
    new_order_response: Any


class AmendedOrder(Payload, frozen=True):
    symbol: str
    order_id: int
    order_list_id: int
    orig_client_order_id: str
    client_order_id: str
    price: Amount
    qty: Amount
    executed_qty: Amount
    prevented_qty: Amount
    quote_order_qty: Amount
    cumulative_quote_qty: Amount
    status: str
    time_in_force: str
    type: str
    side: str
    working_time: Milliseconds
    self_trade_prevention_mode: str


class Amended(Payload, frozen=True):
    transact_time: Milliseconds
    amended_order: AmendedOrder


# the account


class Rates(Payload, frozen=True):
    maker: Amount
    taker: Amount
    buyer: Amount
    seller: Amount


class Balance(Payload, frozen=True):
    asset: str
    free: Amount
    locked: Amount


class Account(Payload, frozen=True):
    maker_commission: int
    """In basis points, like the three after it."""
    taker_commission: int
    buyer_commission: int
    seller_commission: int
    commission_rates: Rates
    can_trade: bool
    can_withdraw: bool
    can_deposit: bool
    brokered: bool
    require_self_trade_prevention: bool
    prevent_sor: bool
    update_time: Milliseconds
    account_type: str
    balances: list[Balance]
    permissions: list[str]
    uid: int


class MyTrade(Payload, frozen=True):
    symbol: str
    id: int
    order_id: int
    order_list_id: int
    price: Amount
    qty: Amount
    quote_qty: Amount
    commission: Amount
    commission_asset: str
    time: Milliseconds
    is_buyer: bool
    is_maker: bool
    is_best_match: bool = True


class Discount(Payload, frozen=True):
    enabled_for_account: bool
    enabled_for_symbol: bool
    discount_asset: str
    discount: Amount


class Commission(Payload, frozen=True):
    symbol: str
    standard_commission: Rates
    special_commission: Rates
    tax_commission: Rates
    discount: Discount


class OrderCommission(msgspec.Struct, frozen=True, rename="camel"):
    """The rates of an order that was only tested."""

    standard_commission_for_order: dict[str, Amount]
    special_commission_for_order: dict[str, Amount]
    tax_commission_for_order: dict[str, Amount]
    discount: Discount


class ListenKey(Payload, frozen=True):
    listen_key: str


# beside /api/v3


class SystemStatus(Payload, frozen=True):
    status: int
    msg: str


class TradeFee(Payload, frozen=True):
    symbol: str
    maker_commission: str
    taker_commission: str


class NoSymbols(Payload, frozen=True):
    symbols: list[str]
