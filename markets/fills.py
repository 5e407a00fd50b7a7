"""A trade as one of its two accounts sees it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.core.types import Liquidity, Side
from markets.models import Trade


@dataclass(frozen=True)
class AccountFill:
    """One account's half of a trade; the fee is in the asset that was received."""

    market: str
    trade_id: int
    order_id: int
    side: str
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: str
    time: datetime


def fill_of(trade: Trade, *, bought: bool) -> AccountFill:
    """The buyer's half or the seller's. Reads `trade.market`: select it with the trade."""
    side = Side.BUY.value if bought else Side.SELL.value
    took = trade.taker_side == side
    return AccountFill(
        market=trade.market_id,
        trade_id=trade.trade_id,
        order_id=trade.buy_order_id if bought else trade.sell_order_id,
        side=side,
        price=trade.price,
        quantity=trade.quantity,
        quote_quantity=trade.quote_quantity,
        fee=trade.buyer_fee if bought else trade.seller_fee,
        fee_asset=trade.market.base_id if bought else trade.market.quote_id,
        liquidity=Liquidity.TAKER.value if took else Liquidity.MAKER.value,
        time=trade.time,
    )
