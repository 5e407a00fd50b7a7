"""Is an order well formed, and does it keep its market's rules? Nothing here changes anything."""

from typing import Final

from engine.core.accounts import Account
from engine.core.commands import OrderTerms
from engine.core.markets import Market
from engine.core.rejections import Code
from engine.core.replies import Refused
from engine.core.types import FOK, GTC, GTD, IOC, LIMIT, MAX_AMOUNT, SELL

_OUT_OF_RANGE: Final = Refused(
    Code.AMOUNT_OUT_OF_RANGE, "amounts, and price times quantity, must be positive and below 2^63"
)


def check_terms(terms: OrderTerms, market: Market, now: int) -> Refused | None:
    """The order's form and the market's filters, the first broken rule."""
    if problem := _problem_with_form(terms, now):
        return Refused(Code.INVALID_ORDER, problem)
    if terms.quantity is not None and (refused := _check_quantity(terms.quantity, market)):
        return refused
    if terms.price is not None and (refused := _check_price(terms.price, market)):
        return refused
    return _check_notional(terms, market)


def _problem_with_form(terms: OrderTerms, now: int) -> str | None:
    lifetime = terms.time_in_force
    if (terms.good_till is not None) != (lifetime is GTD):
        return "good_till goes with time in force gtd, and only with it"
    if terms.good_till is not None and terms.good_till <= now:
        return "good_till has passed"
    if terms.type is LIMIT:
        if terms.price is None or terms.quantity is None or terms.quote_quantity is not None:
            return "a limit order has a price and a quantity"
        if terms.post_only and lifetime not in (GTC, GTD):
            return "a post-only order must be able to stand in the book"
        return None
    if terms.price is not None or terms.post_only:
        return "a market order has no price and cannot be post-only"
    if lifetime not in (IOC, FOK):
        return "a market order is ioc or fok"
    if (terms.quantity is None) == (terms.quote_quantity is None):
        return "a market order has either a quantity or a quote quantity"
    if terms.quote_quantity is not None:
        if terms.side is SELL:
            return "only a market buy is placed by quote quantity"
        if lifetime is FOK:
            return "an order by quote quantity is ioc"
    return None


def _check_quantity(quantity: int, market: Market) -> Refused | None:
    rules = market.rules
    if not 0 < quantity <= MAX_AMOUNT:
        return _OUT_OF_RANGE
    if quantity < rules.min_quantity:
        return Refused(Code.QUANTITY_TOO_SMALL, "below the market's minimum quantity")
    if quantity > rules.max_quantity:
        return Refused(Code.QUANTITY_TOO_LARGE, "above the market's maximum quantity")
    if quantity % rules.step:
        return Refused(Code.QUANTITY_OFF_STEP, "not a multiple of the market's step")
    return None


def _check_price(price: int, market: Market) -> Refused | None:
    if not 0 < price <= MAX_AMOUNT:
        return _OUT_OF_RANGE
    if price % market.rules.tick:
        return Refused(Code.PRICE_OFF_TICK, "not a multiple of the market's tick")
    if not market.lowest_price <= price <= market.highest_price:
        return Refused(Code.PRICE_OUT_OF_BAND, "too far from the last price")
    return None


def _check_notional(terms: OrderTerms, market: Market) -> Refused | None:
    notional = terms.quote_quantity
    if terms.price is not None and terms.quantity is not None:
        notional = market.notional(terms.price, terms.quantity)
    if notional is None:  # a market order by quantity has no price to value it at
        return None
    if not 0 < notional <= MAX_AMOUNT:
        return _OUT_OF_RANGE
    if notional < market.rules.min_notional:
        return Refused(Code.NOTIONAL_TOO_SMALL, "below the market's minimum notional")
    return None


def check_book(terms: OrderTerms, market: Market) -> Refused | None:
    """What the other side of the book forbids."""
    if terms.post_only and terms.price is not None:
        if market.book.opposite(terms.side).crosses(terms.price):
            return Refused(Code.WOULD_TAKE, "a post-only order would trade at once")
    elif terms.quote_quantity is not None:
        best = market.book.asks.best()
        rules = market.rules
        if best and terms.quote_quantity < market.notional(best.price, rules.min_quantity):
            return Refused(Code.QUANTITY_TOO_SMALL, "buys less than the minimum quantity")
        if best and terms.quote_quantity > market.notional(best.price, rules.max_quantity):
            return Refused(Code.QUANTITY_TOO_LARGE, "could buy more than the maximum quantity")
    return None


def check_funds(terms: OrderTerms, market: Market, account: Account | None) -> Refused | None:
    """Whether the account can pay for the worst that the order may do."""
    if terms.side is SELL:
        asset, needed = market.base, terms.quantity
    else:
        asset, needed = market.quote, _cost(terms, market)
    if account is None or needed is None or account.available(asset) < needed:
        return Refused(Code.INSUFFICIENT_BALANCE, f"not enough {asset} available")
    return None


def _cost(terms: OrderTerms, market: Market) -> int | None:
    """The most that a buy can cost, in the quote asset."""
    if terms.quote_quantity is not None or terms.quantity is None:
        return terms.quote_quantity
    if terms.price is not None:
        return market.notional(terms.price, terms.quantity)
    return _cost_on_the_book(terms.quantity, market)


def _cost_on_the_book(quantity: int, market: Market) -> int:
    """Walk the asks dry: what a market buy would pay for what stands there, up to `quantity`."""
    cost = 0
    for level in market.book.asks:
        taken = min(quantity, level.quantity)
        cost += market.notional(level.price, taken)
        quantity -= taken
        if not quantity:
            break
    return cost


def can_fill_completely(terms: OrderTerms, market: Market) -> bool:
    """Does the other side of the book hold the whole quantity within the limit?"""
    needed = terms.quantity or 0
    for level in market.book.opposite(terms.side).levels_within(terms.price):
        needed -= level.quantity
        if needed <= 0:
            return True
    return False
