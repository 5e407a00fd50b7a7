"""An order tried on an exchange of its own: by the very rules, and without any consequence.

There the caller is rich and the book is empty. So what is found is what is wrong with the order
itself and with its market's filters, and neither the balance nor the book.
"""

from typing import Final

from engine.core.commands import DefineAsset, Deposit, OrderTerms, PlaceOrder
from engine.core.engine import Engine
from engine.core.replies import Refused
from engine.core.types import BUY, GTC, LIMIT, MAX_AMOUNT, SELL, Side
from markets.definitions import MarketDefinition

RICHES: Final = MAX_AMOUNT // 4
"""Of each asset, for each of two accounts."""


def try_order(
    definition: MarketDefinition, terms: OrderTerms, *, last_price: int | None, now: int
) -> Refused | None:
    """The refusal that the engine would give; None for a good order. `now` in milliseconds."""
    engine = Engine()
    engine.advance(now)
    engine.apply(DefineAsset(definition.base, definition.base_scale))
    engine.apply(DefineAsset(definition.quote, definition.quote_scale))
    engine.apply(definition.rules)
    somebody = terms.account + 1
    for account in (terms.account, somebody):
        for asset in (definition.base, definition.quote):
            engine.apply(Deposit(account, asset, RICHES, key=f"{account}:{asset}"))
    if last_price is not None:
        _trade(engine, definition, terms.account, somebody, last_price)
    reply, _ = engine.apply(PlaceOrder(terms, expires_at=now))
    return reply if isinstance(reply, Refused) else None


def _trade(
    engine: Engine, definition: MarketDefinition, buyer: int, seller: int, price: int
) -> None:
    """Make `price` the last one: the price band lies around it."""
    rules, unit = definition.rules, 10**definition.base_scale
    needed = max(rules.min_quantity, -(-rules.min_notional * unit // price))
    quantity = -(-needed // rules.step) * rules.step

    def order(account: int, side: Side) -> PlaceOrder:
        terms = OrderTerms(account, definition.symbol, side, LIMIT, GTC, price, quantity)
        return PlaceOrder(terms, expires_at=engine.time)

    engine.apply(order(seller, SELL))
    engine.apply(order(buyer, BUY))
