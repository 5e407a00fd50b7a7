"""From the engine's integers and the tables' decimals to what `schemas.py` promises."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from engine.amounts import format_amount
from engine.core.events import Fill, OrderState
from engine.core.replies import DepthReply
from engine.core.types import MAX_AMOUNT, Liquidity, OrderType, Side
from engine.intervals import Interval
from engine.times import to_milliseconds
from markets import own
from markets.api.schemas import (
    AccountFillOut,
    BalanceOut,
    CandleOut,
    DepthOut,
    FillOut,
    MarketOut,
    OrderOut,
    TickerOut,
    TradeOut,
)
from markets.definitions import MarketDefinition, get_definition, get_scale, known_definition
from markets.models import Kline, Trade
from markets.selectors import AccountFill
from markets.tickers import Ticker


def order_out(order: OrderState, fills: Iterable[Fill] = ()) -> OrderOut:
    terms = order.terms
    market = known_definition(symbol=terms.market)
    base, quote = market.base_scale, market.quote_scale
    is_market = terms.type is OrderType.MARKET
    return OrderOut(
        symbol=terms.market,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        price=None if is_market else _optional(terms.price, quote),
        quantity=_optional(terms.quantity, base),
        quote_quantity=_optional(terms.quote_quantity, quote),
        post_only=terms.post_only,
        client_order_id=terms.client_order_id,
        good_till=terms.good_till,
        protection_price=_optional(terms.price, quote) if is_market else None,
        stop_price=_optional(terms.stop_price, quote),
        trailing_delta=terms.trailing_delta,
        visible_quantity=_optional(terms.visible_quantity, base),
        self_trade_prevention=terms.self_trade_prevention,
        order_id=order.order_id,
        status=order.status,
        executed_quantity=format_amount(order.executed_quantity, base),
        executed_quote_quantity=format_amount(order.executed_quote_quantity, quote),
        prevented_quantity=format_amount(
            order.prevented_quantity, base if terms.quote_quantity is None else quote
        ),
        list_id=order.list_id,
        created_at=order.created_at,
        updated_at=order.updated_at,
        working_since=order.working_since,
        fills=[_fill_out(fill, market) for fill in fills],
    )


def orders_with_fills(orders: Sequence[OrderState]) -> list[OrderOut]:
    """With all fills that the orders ever had, as far as the tables know them."""
    fills = own.fills_of(orders)
    return [order_out(order, fills.get(order.order_id, ())) for order in orders]


def market_out(market: MarketDefinition) -> MarketOut:
    base, quote, rules = market.base_scale, market.quote_scale, market.rules
    unlimited = rules.max_notional == MAX_AMOUNT
    return MarketOut(
        symbol=market.symbol,
        base=market.base,
        quote=market.quote,
        phase=market.phase,
        phase_until=market.phase_until,
        tick=format_amount(rules.tick, quote),
        step=format_amount(rules.step, base),
        min_quantity=format_amount(rules.min_quantity, base),
        max_quantity=format_amount(rules.max_quantity, base),
        min_notional=format_amount(rules.min_notional, quote),
        max_notional=None if unlimited else format_amount(rules.max_notional, quote),
        band_down_ppm=rules.band_down_ppm,
        band_up_ppm=rules.band_up_ppm,
        trigger_band_ppm=rules.trigger_band_ppm,
        maker_fee_ppm=rules.maker_fee_ppm,
        taker_fee_ppm=rules.taker_fee_ppm,
        max_open_orders=rules.max_open_orders,
        max_conditional_orders=rules.max_conditional_orders,
        guard_ppm=rules.guard_ppm,
        guard_window_ms=rules.guard_window_ms,
        guard_pause_ms=rules.guard_pause_ms,
    )


def _fill_out(fill: Fill, market: MarketDefinition) -> FillOut:
    return FillOut(
        trade_id=fill.trade_id,
        price=format_amount(fill.price, market.quote_scale),
        quantity=format_amount(fill.quantity, market.base_scale),
        fee=format_amount(fill.fee, get_scale(asset=fill.fee_asset)),
        fee_asset=fill.fee_asset,
        liquidity=fill.liquidity,
    )


def account_fill_out(fill: AccountFill) -> AccountFillOut:
    market = get_definition(symbol=fill.market)
    return AccountFillOut(
        symbol=fill.market,
        order_id=fill.order_id,
        side=Side(fill.side),
        trade_id=fill.trade_id,
        price=places(fill.price, market.quote_scale),
        quantity=places(fill.quantity, market.base_scale),
        quote_quantity=places(fill.quote_quantity, market.quote_scale),
        fee=places(fill.fee, get_scale(asset=fill.fee_asset)),
        fee_asset=fill.fee_asset,
        liquidity=Liquidity(fill.liquidity),
        time=to_milliseconds(fill.time),
    )


def balance_out(balance: tuple[str, int, int]) -> BalanceOut:
    asset, available, locked = balance
    scale = get_scale(asset=asset)
    return BalanceOut(asset, format_amount(available, scale), format_amount(locked, scale))


def depth_out(depth: DepthReply) -> DepthOut:
    market = get_definition(symbol=depth.market)

    def levels(side: Iterable[tuple[int, int]]) -> list[tuple[str, str]]:
        return [
            (format_amount(price, market.quote_scale), format_amount(quantity, market.base_scale))
            for price, quantity in side
        ]

    return DepthOut(depth.market, depth.number, levels(depth.bids), levels(depth.asks))


def candle_out(row: Kline) -> CandleOut:
    market = get_definition(symbol=row.market_id)
    base, quote = market.base_scale, market.quote_scale
    open_time = to_milliseconds(row.time)
    return CandleOut(
        open_time=open_time,
        open=places(row.open, quote),
        high=places(row.high, quote),
        low=places(row.low, quote),
        close=places(row.close, quote),
        volume=places(row.volume, base),
        quote_volume=places(row.quote_volume, quote),
        trades=row.trades,
        close_time=Interval(row.interval).close_time(open_time),
    )


def trade_out(row: Trade) -> TradeOut:
    market = get_definition(symbol=row.market_id)
    return TradeOut(
        trade_id=row.trade_id,
        price=places(row.price, market.quote_scale),
        quantity=places(row.quantity, market.base_scale),
        quote_quantity=places(row.quote_quantity, market.quote_scale),
        taker_side=Side(row.taker_side),
        time=to_milliseconds(row.time),
    )


def ticker_out(ticker: Ticker) -> TickerOut:
    market = get_definition(symbol=ticker.symbol)
    base, quote = market.base_scale, market.quote_scale
    return TickerOut(
        symbol=ticker.symbol,
        open=_places(ticker.open, quote),
        high=_places(ticker.high, quote),
        low=_places(ticker.low, quote),
        last=_places(ticker.last, quote),
        price_change=places(ticker.price_change, quote),
        price_change_percent=str(ticker.price_change_percent),
        volume=places(ticker.volume, base),
        quote_volume=places(ticker.quote_volume, quote),
        trades=ticker.trades,
        open_time=ticker.open_time,
        close_time=ticker.close_time,
    )


def _places(amount: Decimal | None, scale: int) -> str | None:
    return None if amount is None else places(amount, scale)


def places(amount: Decimal, scale: int) -> str:
    """A decimal of the tables with all places of its asset."""
    return f"{amount:.{scale}f}"


def _optional(amount: int | None, scale: int) -> str | None:
    return None if amount is None else format_amount(amount, scale)
