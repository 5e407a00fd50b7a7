"""From the engine's integers and the tables' decimals to the payloads."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from engine.core.events import Fill, OrderState
from engine.core.replies import DepthReply
from engine.core.types import MAX_SCALE, Liquidity, Side
from engine.intervals import Interval
from engine.publisher.frames import wire_amount, wire_name
from engine.times import to_milliseconds
from markets.binance import payloads
from markets.binance.fields import ResponseType
from markets.binance.names import (
    CONDITIONAL,
    NEVER,
    NO_LIST,
    order_status,
    order_type,
    time_in_force,
)
from markets.definitions import (
    MarketDefinition,
    get_definition,
    get_scale,
    known_definition,
)
from markets.fills import AccountFill
from markets.models import Kline, Trade
from markets.tickers import Ticker

ZERO: Final = wire_amount(0, 0)
PPM_SCALE: Final = 6
"""Decimal places of a rate in parts per million."""

# A member is reached quicker by a name of its own, and every order asks.
_FULL: Final = ResponseType.FULL
_RESULT: Final = ResponseType.RESULT

_PLACES: Final = Decimal(1).scaleb(-MAX_SCALE)


def amount(value: Decimal | None) -> str:
    """With eight decimals; what has more is rounded down. Zero for None."""
    return ZERO if value is None else f"{value:.{MAX_SCALE}f}"


def average(value: Decimal | None) -> str:
    return amount(None if value is None else value.quantize(_PLACES))


def rate(ppm: int) -> str:
    return wire_amount(ppm, PPM_SCALE)


# orders


def order_ack(order: OrderState) -> payloads.OrderAck:
    return payloads.OrderAck(
        symbol=order.terms.market,
        order_id=order.order_id,
        order_list_id=list_of(order),
        client_order_id=order.terms.client_order_id or "",
        transact_time=order.updated_at,
    )


def order_result(order: OrderState) -> payloads.OrderResult:
    return payloads.OrderResult(**_result_fields(order))


def order_full(order: OrderState, fills: Iterable[Fill]) -> payloads.OrderFull:
    return payloads.OrderFull(**_result_fields(order), fills=_order_fills(order, fills))


def placed(order: OrderState, fills: Iterable[Fill], response: ResponseType) -> payloads.Placed:
    if response is _FULL:
        return order_full(order, fills)
    return order_result(order) if response is _RESULT else order_ack(order)


def amended_order(order: OrderState, former_id: str) -> payloads.Amended:
    """`former_id` is the client order id that it had before."""
    fields = _common_fields(order)
    base = get_definition(symbol=order.terms.market).base_scale
    return payloads.Amended(
        transact_time=order.updated_at,
        amended_order=payloads.AmendedOrder(
            orig_client_order_id=former_id,
            client_order_id=order.terms.client_order_id or "",
            qty=fields["orig_qty"],
            prevented_qty=wire_amount(order.prevented_quantity, base),
            quote_order_qty=fields["orig_quote_order_qty"],
            cumulative_quote_qty=fields["cummulative_quote_qty"],
            working_time=_working_time(order),
            **{name: fields[name] for name in _AS_AMENDED},
        ),
    )


_AS_AMENDED: Final = (
    "symbol",
    "order_id",
    "order_list_id",
    "price",
    "executed_qty",
    "status",
    "time_in_force",
    "type",
    "side",
    "self_trade_prevention_mode",
)


def canceled_order(order: OrderState, cancel_id: str) -> payloads.CanceledOrder:
    """`cancel_id` names the cancel, as the order's own id named its placing."""
    return payloads.CanceledOrder(
        orig_client_order_id=order.terms.client_order_id or "",
        client_order_id=cancel_id,
        transact_time=order.updated_at,
        **_common_fields(order),
    )


def order_out(order: OrderState) -> payloads.Order:
    return payloads.Order(
        client_order_id=order.terms.client_order_id or "",
        time=order.created_at,
        update_time=order.updated_at,
        is_working=not _waits(order),
        working_time=_working_time(order),
        **{"stop_price": ZERO, "iceberg_qty": ZERO, **_common_fields(order)},
    )


def _result_fields(order: OrderState) -> dict[str, Any]:
    fields = _common_fields(order)
    fields["client_order_id"] = order.terms.client_order_id or ""
    fields["transact_time"] = order.updated_at
    fields["working_time"] = _working_time(order)
    return fields


def list_of(order: OrderState) -> int:
    return NO_LIST if order.list_id is None else order.list_id


def _common_fields(order: OrderState) -> dict[str, Any]:
    terms = order.terms
    market = known_definition(symbol=terms.market)
    base, quote = market.base_scale, market.quote_scale
    # An order by quote amount is of the quantity that it came to.
    quantity = order.executed_quantity if terms.quantity is None else terms.quantity
    fields = {
        "symbol": terms.market,
        "order_id": order.order_id,
        "order_list_id": list_of(order),
        "price": wire_amount(terms.price or 0, quote),
        "orig_qty": wire_amount(quantity, base),
        "executed_qty": wire_amount(order.executed_quantity, base),
        "orig_quote_order_qty": wire_amount(terms.quote_quantity or 0, quote),
        "cummulative_quote_qty": wire_amount(order.executed_quote_quantity, quote),
        "status": order_status(order),
        "time_in_force": time_in_force(terms),
        "type": order_type(terms),
        "side": wire_name(terms.side),
        "self_trade_prevention_mode": wire_name(terms.self_trade_prevention),
    }
    _add_what_some_have(fields, order, base, quote)
    return fields


def _add_what_some_have(fields: dict[str, Any], order: OrderState, base: int, quote: int) -> None:
    """An amount by quote was prevented in quote."""
    terms = order.terms
    if terms.stop_price is not None:
        fields["stop_price"] = wire_amount(terms.stop_price, quote)
    if terms.trailing_delta is not None:
        fields["trailing_delta"] = terms.trailing_delta
    if terms.visible_quantity is not None:
        fields["iceberg_qty"] = wire_amount(terms.visible_quantity, base)
    if order.prevented_quantity:
        scale = quote if terms.quantity is None else base
        fields["prevented_quantity"] = wire_amount(order.prevented_quantity, scale)


def _waits(order: OrderState) -> bool:
    """For its trigger."""
    return order.working_since is None and order.terms.type in CONDITIONAL


def _working_time(order: OrderState) -> int:
    return NEVER if _waits(order) else order.working_since or order.created_at


def _order_fills(order: OrderState, fills: Iterable[Fill]) -> list[payloads.OrderFill]:
    if not fills:
        return []
    market = known_definition(symbol=order.terms.market)
    return [_order_fill(fill, market) for fill in fills]


def _order_fill(fill: Fill, market: MarketDefinition) -> payloads.OrderFill:
    return payloads.OrderFill(
        price=wire_amount(fill.price, market.quote_scale),
        qty=wire_amount(fill.quantity, market.base_scale),
        commission=wire_amount(fill.fee, get_scale(asset=fill.fee_asset)),
        commission_asset=fill.fee_asset,
        trade_id=fill.trade_id,
    )


def my_trade(fill: AccountFill, list_id: int | None) -> payloads.MyTrade:
    return payloads.MyTrade(
        symbol=fill.market,
        id=fill.trade_id,
        order_id=fill.order_id,
        order_list_id=NO_LIST if list_id is None else list_id,
        price=amount(fill.price),
        qty=amount(fill.quantity),
        quote_qty=amount(fill.quote_quantity),
        commission=amount(fill.fee),
        commission_asset=fill.fee_asset,
        time=to_milliseconds(fill.time),
        is_buyer=fill.side == Side.BUY.value,
        is_maker=fill.liquidity == Liquidity.MAKER.value,
    )


# market data


def depth_out(depth: DepthReply) -> payloads.Depth:
    market = get_definition(symbol=depth.market)

    def levels(side: Iterable[tuple[int, int]]) -> list[payloads.Level]:
        return [
            (wire_amount(price, market.quote_scale), wire_amount(quantity, market.base_scale))
            for price, quantity in side
        ]

    return payloads.Depth(depth.number, levels(depth.bids), levels(depth.asks))


def public_trade(row: Trade) -> payloads.PublicTrade:
    return payloads.PublicTrade(
        id=row.trade_id,
        price=amount(row.price),
        qty=amount(row.quantity),
        quote_qty=amount(row.quote_quantity),
        time=to_milliseconds(row.time),
        is_buyer_maker=row.taker_side == Side.SELL.value,
    )


def aggregate_trade(row: Trade) -> payloads.AggregateTrade:
    return payloads.AggregateTrade(
        a=row.trade_id,
        p=amount(row.price),
        q=amount(row.quantity),
        f=row.trade_id,
        l=row.trade_id,
        T=to_milliseconds(row.time),
        m=row.taker_side == Side.SELL.value,
    )


def candle(row: Kline) -> payloads.Candle:
    open_time = to_milliseconds(row.time)
    return (
        open_time,
        amount(row.open),
        amount(row.high),
        amount(row.low),
        amount(row.close),
        amount(row.volume),
        Interval(row.interval).close_time(open_time),
        amount(row.quote_volume),
        row.trades,
        amount(row.taker_buy_volume),
        amount(row.taker_buy_quote_volume),
        "0",
    )


def mini_ticker(ticker: Ticker) -> payloads.MiniTicker:
    return payloads.MiniTicker(**_day_fields(ticker))


def full_ticker(ticker: Ticker, best: DepthReply | None) -> payloads.FullTicker:
    book = book_ticker(ticker.symbol, best)
    return payloads.FullTicker(
        price_change=amount(ticker.price_change),
        price_change_percent=str(ticker.price_change_percent),
        weighted_avg_price=average(ticker.average),
        prev_close_price=amount(ticker.previous_close),
        last_qty=amount(ticker.last_quantity),
        bid_price=book.bid_price,
        bid_qty=book.bid_qty,
        ask_price=book.ask_price,
        ask_qty=book.ask_qty,
        **_day_fields(ticker),
    )


def _day_fields(ticker: Ticker) -> dict[str, Any]:
    return {
        "symbol": ticker.symbol,
        "open_price": amount(ticker.open),
        "high_price": amount(ticker.high),
        "low_price": amount(ticker.low),
        "last_price": amount(ticker.last),
        "volume": amount(ticker.volume),
        "quote_volume": amount(ticker.quote_volume),
        "open_time": ticker.open_time,
        "close_time": ticker.close_time,
        "first_id": ticker.first_id if ticker.trades else -1,
        "last_id": ticker.last_id if ticker.trades else -1,
        "count": ticker.trades,
    }


def book_ticker(symbol: str, best: DepthReply | None) -> payloads.BookTicker:
    """Zeros on an empty side."""
    market = get_definition(symbol=symbol)
    (bid, bid_quantity), (ask, ask_quantity) = (
        side[0] if side else (0, 0) for side in ((best.bids, best.asks) if best else ((), ()))
    )
    return payloads.BookTicker(
        symbol=symbol,
        bid_price=wire_amount(bid, market.quote_scale),
        bid_qty=wire_amount(bid_quantity, market.base_scale),
        ask_price=wire_amount(ask, market.quote_scale),
        ask_qty=wire_amount(ask_quantity, market.base_scale),
    )


# the account


def balance_out(asset: str, available: int, locked: int) -> payloads.Balance:
    scale = get_scale(asset=asset)
    return payloads.Balance(asset, wire_amount(available, scale), wire_amount(locked, scale))


def rates(maker_ppm: int, taker_ppm: int) -> payloads.Rates:
    return payloads.Rates(rate(maker_ppm), rate(taker_ppm), ZERO, ZERO)


NO_RATES: Final = rates(0, 0)
NO_DISCOUNT: Final = payloads.Discount(
    enabled_for_account=False, enabled_for_symbol=False, discount_asset="", discount=ZERO
)
