"""What a trade moves: the two assets, the fees, and what both orders have left."""

from typing import Final

from engine.core.accounts import Accounts
from engine.core.events import Event, Fill, Traded
from engine.core.markets import Market
from engine.core.order import Order
from engine.core.types import BUY, MAKER, PPM, SELL, TAKER

_fill: Final = Fill  # bound once, see order.py
_traded: Final = Traded


def fee(received: int, rate_ppm: int) -> int:
    """The fee on an amount received, rounded up: towards the house, for rebates too."""
    # Of the whole millions first: no product grows beyond a machine word.
    return received // PPM * rate_ppm - (-(received % PPM) * rate_ppm // PPM)


class Settlement:
    def __init__(self, accounts: Accounts, events: list[Event]) -> None:
        self._accounts = accounts
        self._events = events

    def trade(
        self,
        market: Market,
        price: int,
        quantity: int,
        buyer: Order,
        seller: Order,
        taker: Order | None,
        now: int,
    ) -> tuple[Fill, Fill]:
        """One trade of `quantity` at `price`. Returns the buyer's and the seller's fill.

        Each pays from what its order has locked, and where that is nothing from what is available.
        Without a `taker`, as in an auction, both are makers. A rebate is only paid where the other
        side's fee is somebody else's: whoever trades with himself would live on it.
        """
        quote_quantity = market.notional(price, quantity)
        buyer_takes, seller_takes = buyer is taker, seller is taker
        parties = buyer.participant, seller.participant
        buyer_rate = parties[0].taker_fee_ppm if buyer_takes else parties[0].maker_fee_ppm
        seller_rate = parties[1].taker_fee_ppm if seller_takes else parties[1].maker_fee_ppm
        if (buyer_rate < 0 or seller_rate < 0) and (taker is None or buyer.is_own(seller)):
            buyer_rate, seller_rate = max(buyer_rate, 0), max(seller_rate, 0)
        buyer_fee = fee(quantity, buyer_rate)
        seller_fee = fee(quote_quantity, seller_rate)
        accounts = self._accounts
        self._pay(buyer, quote_quantity)
        self._pay(seller, quantity)
        accounts.receive(buyer.receives, quantity - buyer_fee)
        accounts.receive(seller.receives, quote_quantity - seller_fee)
        accounts.earn(market.base, buyer_fee)
        accounts.earn(market.quote, seller_fee)
        _count(buyer, quantity, quote_quantity, now)
        _count(seller, quantity, quote_quantity, now)
        market.trade_id += 1
        market.last_price = price
        younger_is_buyer = taker is None and buyer.order_id > seller.order_id
        self._events.append(
            _traded(
                market.symbol,
                market.trade_id,
                price,
                quantity,
                quote_quantity,
                BUY if buyer_takes or younger_is_buyer else SELL,
                buyer.account.number,
                seller.account.number,
                buyer.order_id,
                seller.order_id,
                buyer_fee,
                seller_fee,
            )
        )
        trade_id = market.trade_id
        return (
            _fill(
                trade_id,
                price,
                quantity,
                quote_quantity,
                buyer_fee,
                market.base,
                TAKER if buyer_takes else MAKER,
            ),
            _fill(
                trade_id,
                price,
                quantity,
                quote_quantity,
                seller_fee,
                market.quote,
                TAKER if seller_takes else MAKER,
            ),
        )

    def _pay(self, order: Order, amount: int) -> None:
        if order.locked:
            order.locked -= amount
            self._accounts.pay_from_lock(order.pays, amount)
        else:
            self._accounts.pay(order.pays, amount)


def _count(order: Order, quantity: int, quote_quantity: int, now: int) -> None:
    order.executed_quantity += quantity
    order.executed_quote_quantity += quote_quantity
    order.updated_at = now
