"""A venue's trades as the ticks that candles are made of."""

from decimal import Decimal

from markets.candles import Print
from markets.venues.binance import TradePrint


def tick_of(trade: TradePrint, *, market: str) -> Print:
    price, quantity = Decimal(trade.price), Decimal(trade.quantity)
    return Print(
        market=market,
        trade_id=trade.trade_id,
        time=trade.trade_time,
        price=price,
        quantity=quantity,
        quote_quantity=price * quantity,
        taker_buys=not trade.buyer_is_maker,
    )
