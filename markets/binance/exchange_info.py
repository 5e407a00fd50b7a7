"""The markets and their rules, as `exchangeInfo` tells them."""

import time
from typing import Final

from django.conf import settings

from engine.core.order_checks import MAX_ICEBERG_PARTS, MAX_TRAILING_DELTA
from engine.core.types import MAX_AMOUNT
from engine.publisher.frames import wire_amount
from markets.binance import errors, payloads
from markets.binance.fields import OrderKind, PreventionMode
from markets.binance.names import symbol_status
from markets.binance.presenting import rate
from markets.binance.queries import ExchangeInfoQuery
from markets.definitions import MarketDefinition, get_definition, list_definitions

SPOT: Final = "SPOT"
BY_LAST_PRICE: Final = 0
"""Minutes of the average price that a filter compares with: none, but the last price."""


def exchange_info(wanted: ExchangeInfoQuery) -> payloads.ExchangeInfo:
    return payloads.ExchangeInfo(
        timezone="UTC",
        server_time=time.time_ns() // 1_000_000,
        rate_limits=rate_limits(),
        exchange_filters=[],
        symbols=[_symbol(m, sets=wanted.show_permission_sets) for m in _markets(wanted)],
    )


def rate_limits() -> list[payloads.RateLimit]:
    weight = settings.BINANCE_REQUEST_WEIGHT_PER_MINUTE
    return [
        payloads.RateLimit("REQUEST_WEIGHT", "MINUTE", 1, weight),
        payloads.RateLimit("ORDERS", "SECOND", 10, settings.BINANCE_ORDERS_PER_10_SECONDS),
        payloads.RateLimit("ORDERS", "DAY", 1, settings.BINANCE_ORDERS_PER_DAY),
    ]


def _markets(wanted: ExchangeInfoQuery) -> list[MarketDefinition]:
    named = wanted.symbol is not None or wanted.symbols is not None
    filtered = wanted.permissions is not None or wanted.symbol_status is not None
    if (wanted.symbol is not None and wanted.symbols is not None) or (named and filtered):
        raise errors.BAD_COMBINATION.error()
    if wanted.symbol is not None:
        return [get_definition(symbol=wanted.symbol)]
    if wanted.symbols is not None:
        return [get_definition(symbol=symbol) for symbol in wanted.symbols]
    if wanted.permissions is not None and SPOT not in wanted.permissions:
        return []
    return [
        market
        for market in list_definitions()
        if wanted.symbol_status in {None, symbol_status(market.phase)}
    ]


def _symbol(market: MarketDefinition, *, sets: bool) -> payloads.SymbolInfo:
    return payloads.SymbolInfo(
        symbol=market.symbol,
        status=symbol_status(market.phase).value,
        base_asset=market.base,
        base_asset_precision=market.base_scale,
        quote_asset=market.quote,
        quote_precision=market.quote_scale,
        quote_asset_precision=market.quote_scale,
        base_commission_precision=market.base_scale,
        quote_commission_precision=market.quote_scale,
        order_types=[kind.value for kind in OrderKind],
        iceberg_allowed=True,
        oco_allowed=True,
        oto_allowed=False,
        opo_allowed=False,
        quote_order_qty_market_allowed=True,
        allow_trailing_stop=True,
        cancel_replace_allowed=True,
        amend_allowed=True,
        peg_instructions_allowed=False,
        is_spot_trading_allowed=True,
        is_margin_trading_allowed=False,
        filters=_filters(market),
        permissions=[],
        permission_sets=[[SPOT]] if sets else [],
        default_self_trade_prevention_mode=PreventionMode.NONE.value,
        allowed_self_trade_prevention_modes=[mode.value for mode in PreventionMode],
    )


def _filters(market: MarketDefinition) -> list[payloads.Filter]:
    """The price filter stands first: clients take the first one for it."""
    rules, base, quote = market.rules, market.base_scale, market.quote_scale
    quantities = (
        wire_amount(rules.min_quantity, base),
        wire_amount(rules.max_quantity, base),
        wire_amount(rules.step, base),
    )
    up, down = rate(rules.band_up_ppm), rate(rules.band_down_ppm)
    filters: list[payloads.Filter] = [
        payloads.PriceFilter(
            min_price=wire_amount(rules.tick, quote),
            max_price=wire_amount(MAX_AMOUNT - MAX_AMOUNT % rules.tick, quote),
            tick_size=wire_amount(rules.tick, quote),
        ),
        payloads.LotSize(*quantities),
        payloads.MarketLotSize(*quantities),
        payloads.TrailingDelta(1, MAX_TRAILING_DELTA, 1, MAX_TRAILING_DELTA),
        payloads.PercentPriceBySide(up, down, up, down, BY_LAST_PRICE),
        payloads.Notional(
            min_notional=wire_amount(rules.min_notional, quote),
            apply_min_to_market=False,
            max_notional=wire_amount(rules.max_notional, quote),
            apply_max_to_market=False,
            avg_price_mins=BY_LAST_PRICE,
        ),
        payloads.IcebergParts(MAX_ICEBERG_PARTS),
    ]
    if rules.max_open_orders is not None:
        filters.append(payloads.MaxOrders(rules.max_open_orders))
    if rules.max_conditional_orders is not None:
        filters.append(payloads.MaxConditionalOrders(rules.max_conditional_orders))
    return filters
