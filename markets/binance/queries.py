"""The parameters of every endpoint, under Binance's names."""

import msgspec

from markets.binance.fields import (
    Boolean,
    CancelRestrictionField,
    ClientOrderId,
    Decimal,
    DepthLimit,
    Id,
    IntervalField,
    LifetimeField,
    Limit,
    ListenKey,
    OrderKindField,
    Permissions,
    PreventionMode,
    PreventionModeField,
    ReplaceModeField,
    ResponseTypeField,
    SideField,
    Symbol,
    Symbols,
    SymbolStatusField,
    TickerType,
    TickerTypeField,
    Time,
)


class Query(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The parameters of one endpoint; `timestamp`, `recvWindow` and `signature` are apart."""


class NoParameters(Query, frozen=True):
    pass


# general and market data


class ExchangeInfoQuery(Query, frozen=True):
    symbol: Symbol | None = None
    symbols: Symbols | None = None
    permissions: Permissions | None = None
    show_permission_sets: Boolean = True
    symbol_status: SymbolStatusField | None = None


class SymbolQuery(Query, frozen=True):
    symbol: Symbol


class DepthQuery(Query, frozen=True):
    symbol: Symbol
    limit: DepthLimit = 100


class TradesQuery(Query, frozen=True):
    symbol: Symbol
    limit: Limit = 500


class HistoricalTradesQuery(Query, frozen=True):
    symbol: Symbol
    limit: Limit = 500
    from_id: Id | None = None


class AggregateTradesQuery(Query, frozen=True):
    symbol: Symbol
    from_id: Id | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    limit: Limit = 500


class KlinesQuery(Query, frozen=True):
    symbol: Symbol
    interval: IntervalField
    start_time: Time | None = None
    end_time: Time | None = None
    limit: Limit = 500


class TickersQuery(Query, frozen=True):
    symbol: Symbol | None = None
    symbols: Symbols | None = None


class DayTickersQuery(Query, frozen=True):
    symbol: Symbol | None = None
    symbols: Symbols | None = None
    type: TickerTypeField = TickerType.FULL


# orders


class NewOrder(Query, frozen=True, kw_only=True):
    symbol: Symbol
    side: SideField
    type: OrderKindField
    time_in_force: LifetimeField | None = None
    quantity: Decimal | None = None
    quote_order_qty: Decimal | None = None
    price: Decimal | None = None
    new_client_order_id: ClientOrderId | None = None
    strategy_id: Id | None = None
    strategy_type: Id | None = None
    stop_price: Decimal | None = None
    trailing_delta: Id | None = None
    iceberg_qty: Decimal | None = None
    new_order_resp_type: ResponseTypeField | None = None
    self_trade_prevention_mode: PreventionModeField = PreventionMode.NONE


class TestOrder(NewOrder, frozen=True, kw_only=True):
    compute_commission_rates: Boolean = False


class OrderQuery(Query, frozen=True):
    """One order, by `orderId`, by `origClientOrderId`, or by both, which must then agree."""

    symbol: Symbol
    order_id: Id | None = None
    orig_client_order_id: ClientOrderId | None = None


class CancelQuery(OrderQuery, frozen=True):
    new_client_order_id: ClientOrderId | None = None
    cancel_restrictions: CancelRestrictionField | None = None


class ReplaceQuery(NewOrder, frozen=True, kw_only=True):
    cancel_replace_mode: ReplaceModeField
    cancel_order_id: Id | None = None
    cancel_orig_client_order_id: ClientOrderId | None = None
    cancel_new_client_order_id: ClientOrderId | None = None
    cancel_restrictions: CancelRestrictionField | None = None


class AmendQuery(OrderQuery, frozen=True, kw_only=True):
    new_qty: Decimal
    new_client_order_id: ClientOrderId | None = None


class ListTerms(Query, frozen=True, kw_only=True):
    symbol: Symbol
    side: SideField
    quantity: Decimal
    list_client_order_id: ClientOrderId | None = None
    new_order_resp_type: ResponseTypeField | None = None
    self_trade_prevention_mode: PreventionModeField = PreventionMode.NONE


class NewOrderList(ListTerms, frozen=True, kw_only=True):
    above_type: OrderKindField
    above_client_order_id: ClientOrderId | None = None
    above_iceberg_qty: Decimal | None = None
    above_price: Decimal | None = None
    above_stop_price: Decimal | None = None
    above_trailing_delta: Id | None = None
    above_time_in_force: LifetimeField | None = None
    above_strategy_id: Id | None = None
    above_strategy_type: Id | None = None
    below_type: OrderKindField
    below_client_order_id: ClientOrderId | None = None
    below_iceberg_qty: Decimal | None = None
    below_price: Decimal | None = None
    below_stop_price: Decimal | None = None
    below_trailing_delta: Id | None = None
    below_time_in_force: LifetimeField | None = None
    below_strategy_id: Id | None = None
    below_strategy_type: Id | None = None


class NewOco(ListTerms, frozen=True, kw_only=True):
    price: Decimal
    limit_client_order_id: ClientOrderId | None = None
    limit_iceberg_qty: Decimal | None = None
    limit_strategy_id: Id | None = None
    limit_strategy_type: Id | None = None
    stop_price: Decimal | None = None
    trailing_delta: Id | None = None
    stop_client_order_id: ClientOrderId | None = None
    stop_limit_price: Decimal | None = None
    stop_limit_time_in_force: LifetimeField | None = None
    stop_iceberg_qty: Decimal | None = None
    stop_strategy_id: Id | None = None
    stop_strategy_type: Id | None = None


class OrderListQuery(Query, frozen=True):
    order_list_id: Id | None = None
    orig_client_order_id: ClientOrderId | None = None


class CancelListQuery(Query, frozen=True):
    symbol: Symbol
    order_list_id: Id | None = None
    list_client_order_id: ClientOrderId | None = None
    new_client_order_id: ClientOrderId | None = None


class OpenOrdersQuery(Query, frozen=True):
    symbol: Symbol | None = None


class AllOrdersQuery(Query, frozen=True):
    symbol: Symbol
    order_id: Id | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    limit: Limit = 500


class OrderListsQuery(Query, frozen=True):
    from_id: Id | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    limit: Limit = 500


# the account


class AccountQuery(Query, frozen=True):
    omit_zero_balances: Boolean = False


class MyTradesQuery(Query, frozen=True):
    symbol: Symbol
    order_id: Id | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    from_id: Id | None = None
    limit: Limit = 500


class ListenKeyQuery(Query, frozen=True):
    listen_key: ListenKey


class TradeFeeQuery(Query, frozen=True):
    symbol: Symbol | None = None
