"""Is an order well formed, and does it keep all rules? Nothing here changes anything.

The first broken rule answers, in the order of "Refusals" in `docs/ORDERS.md`.
"""

from typing import Final

from engine.core.accounts import Account, Balance
from engine.core.commands import OrderTerms
from engine.core.liquidity import value_on_the_book
from engine.core.markets import Market, Participant
from engine.core.order import Order
from engine.core.rejections import Code
from engine.core.replies import Refused
from engine.core.triggers import rises_to_trigger
from engine.core.types import (
    BASIS_POINTS,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MAX_AMOUNT,
    OPEN,
    POST_ONLY,
    PPM,
    PRE_OPEN,
    SELL,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT_LIMIT,
    is_amount,
)

MAX_TRAILING_DELTA: Final = 5_000
"""In basis points."""

MAX_ICEBERG_PARTS: Final = 100
"""Each is a trade of its own for whoever takes all of it."""

_OUT_OF_RANGE: Final = Refused(
    Code.AMOUNT_OUT_OF_RANGE, "amounts, and price times quantity, must be positive and below 2^63"
)


def check_phase(order: Order, market: Market) -> Refused | None:
    phase = market.phase
    if market.clearing_price is not None:
        return Refused(Code.PHASE_FORBIDS, "an auction is going on")
    if phase is OPEN:
        return None
    if phase is not PRE_OPEN and phase is not POST_ONLY:
        return Refused(Code.PHASE_FORBIDS, f"the market is {phase.value}")
    if order.is_conditional:
        return None
    if not order.can_stand:
        return Refused(Code.PHASE_FORBIDS, "the market takes only orders that can stand")
    if phase is PRE_OPEN and order.post_only:
        return Refused(Code.PHASE_FORBIDS, "no order is post-only in a call")
    return None


def check_terms(order: Order, market: Market, now: int) -> Refused | None:
    """The order's form and the market's filters."""
    terms = order.terms
    if not order.is_plain and (problem := _problem_with_form(terms, now)):
        return Refused(Code.INVALID_ORDER, problem)
    if not order.is_by_quote and (refused := _check_quantity(order.quantity, market)):
        return refused
    if (order.is_plain or terms.price is not None) and (
        refused := _check_price(order.price, market)
    ):
        return refused
    if not order.is_plain:
        if terms.stop_price is not None and (refused := _check_price(order.stop_price, market)):
            return refused
        if order.visible_quantity % market.step:
            return Refused(Code.QUANTITY_OFF_STEP, "the visible quantity is off the step")
        if order.visible_quantity and order.quantity > order.visible_quantity * MAX_ICEBERG_PARTS:
            return Refused(Code.TOO_MANY_PARTS, f"an iceberg has at most {MAX_ICEBERG_PARTS} parts")
    return _check_notional(order, market)


def _problem_with_form(terms: OrderTerms, now: int) -> str | None:
    lifetime = terms.time_in_force
    if (terms.good_till is not None) != (lifetime is GTD):
        return "good_till goes with time in force gtd, and only with it"
    if terms.good_till is not None and terms.good_till <= now:
        return "good_till has passed"
    if terms.type is LIMIT:
        return _problem_with_limit(terms) or _problem_with_iceberg(terms)
    if terms.type is MARKET:
        return _problem_with_market(terms)
    return _problem_with_conditional(terms) or _problem_with_iceberg(terms)


def _problem_with_limit(terms: OrderTerms) -> str | None:
    if terms.price is None or terms.quantity is None or terms.quote_quantity is not None:
        return "a limit order has a price and a quantity"
    if terms.post_only and terms.time_in_force not in (GTC, GTD):
        return "a post-only order must be able to stand in the book"
    if terms.stop_price is not None or terms.trailing_delta is not None:
        return "only a conditional order has a stop price or a trailing delta"
    return None


def _problem_with_market(terms: OrderTerms) -> str | None:
    if terms.post_only or terms.visible_quantity is not None:
        return "a market order cannot be post-only or an iceberg"
    if terms.stop_price is not None or terms.trailing_delta is not None:
        return "only a conditional order has a stop price or a trailing delta"
    if terms.time_in_force not in (IOC, FOK):
        return "a market order is ioc or fok"
    if (terms.quantity is None) == (terms.quote_quantity is None):
        return "a market order has either a quantity or a quote quantity"
    if terms.quote_quantity is not None:
        if terms.side is SELL:
            return "only a market buy is placed by quote quantity"
        if terms.time_in_force is FOK:
            return "an order by quote quantity is ioc"
    return None


def _problem_with_conditional(terms: OrderTerms) -> str | None:
    if terms.quantity is None or terms.quote_quantity is not None:
        return "a conditional order has a quantity"
    if terms.stop_price is None and terms.trailing_delta is None:
        return "a conditional order has a stop price, a trailing delta, or both"
    if terms.trailing_delta is not None and not 0 < terms.trailing_delta <= MAX_TRAILING_DELTA:
        return f"a trailing delta is 1 to {MAX_TRAILING_DELTA} basis points"
    if terms.post_only:
        return "a conditional order cannot be post-only"
    if terms.type is STOP_LOSS_LIMIT or terms.type is TAKE_PROFIT_LIMIT:
        return "a conditional limit order has a price" if terms.price is None else None
    if terms.price is not None:
        return "a conditional order without a limit has no price"
    return None if terms.time_in_force is IOC else "a conditional order without a limit is ioc"


def _problem_with_iceberg(terms: OrderTerms) -> str | None:
    visible, quantity = terms.visible_quantity, terms.quantity
    if visible is None or quantity is None:
        return None
    if terms.price is None or terms.time_in_force not in (GTC, GTD):
        return "only an order that can stand in the book is an iceberg"
    return None if 0 < visible <= quantity else "the visible quantity is a part of the quantity"


def _check_quantity(quantity: int, market: Market) -> Refused | None:
    if market.min_quantity <= quantity <= market.max_quantity and not quantity % market.step:
        return None
    if not is_amount(quantity):
        return _OUT_OF_RANGE
    if quantity < market.rules.min_quantity:
        return Refused(Code.QUANTITY_TOO_SMALL, "below the market's minimum quantity")
    if quantity > market.rules.max_quantity:
        return Refused(Code.QUANTITY_TOO_LARGE, "above the market's maximum quantity")
    return Refused(Code.QUANTITY_OFF_STEP, "not a multiple of the market's step")


def _check_price(price: int, market: Market) -> Refused | None:
    if not is_amount(price):
        return _OUT_OF_RANGE
    if price % market.tick:
        return Refused(Code.PRICE_OFF_TICK, "not a multiple of the market's tick")
    market.move_band()
    if not market.lowest_price <= price <= market.highest_price:
        return Refused(Code.PRICE_OUT_OF_BAND, "too far from the last price")
    return None


def _check_notional(order: Order, market: Market) -> Refused | None:
    if order.is_by_quote:
        notional = order.quantity
    elif order.is_market:  # not valued beforehand
        return None
    else:
        price = valuation_price(order, market)
        if not price:  # a trailing order before the first trade: refused later
            return None
        notional = market.notional(price, order.quantity)
    if not is_amount(notional):
        return _OUT_OF_RANGE
    if notional < market.min_notional:
        return Refused(Code.NOTIONAL_TOO_SMALL, "below the market's minimum notional")
    if market.has_max_notional and notional > market.max_notional:
        return Refused(Code.NOTIONAL_TOO_LARGE, "above the market's maximum notional")
    return None


def check_account(account: Account) -> Refused | None:
    if not account.is_open:
        return Refused(Code.INSUFFICIENT_BALANCE, "the account never held anything")
    if account.frozen:
        return Refused(Code.ACCOUNT_FROZEN, "the account is frozen")
    return None


def check_client_order_id(client_order_id: str | None, participant: Participant) -> Refused | None:
    if client_order_id is not None and client_order_id in participant.client_orders:
        return Refused(Code.DUPLICATE_CLIENT_ORDER_ID, "an open order has this client order id")
    return None


def check_limits(order: Order, market: Market, orders: int, conditional: int) -> Refused | None:
    """The limits on open orders, where so many are to come; so many of them conditional."""
    account, participant = order.account, order.participant
    if (order.can_stand or order.is_conditional) and not account.unlimited_orders:
        most = market.max_open_orders
        if len(participant.orders) + orders > most:
            return Refused(Code.TOO_MANY_ORDERS, f"at most {most} open orders in this market")
        most = market.max_conditional_orders
        if order.is_conditional and participant.conditional_count + conditional > most:
            return Refused(
                Code.TOO_MANY_CONDITIONAL_ORDERS,
                f"at most {most} conditional orders in this market",
            )
    if not account.notional_limits:
        return None
    return check_notional_limit(_worth(order, market), participant)


def check_notional_limit(worth: int, participant: Participant) -> Refused | None:
    """Would open orders worth so much more exceed what the account may have?"""
    quote = participant.market.quote
    limit = participant.account.notional_limits.get(quote)
    if limit is None or worth + _open_worth(participant.account, quote) <= limit:
        return None
    return Refused(Code.NOTIONAL_LIMIT_EXCEEDED, f"open orders are limited to {limit} in units")


def _open_worth(account: Account, quote: str) -> int:
    """What the account's open orders in the markets of a quote asset are worth."""
    worth, counted = 0, set[int]()
    for participant in account.participants.values():
        market = participant.market
        if market.quote != quote:
            continue
        for order in participant.orders.values():
            if order.order_list is None:
                worth += market.notional(valuation_price(order, market), order.remaining)
            elif order.list_id not in counted:  # one of the legs will trade, not both
                counted.add(order.list_id)
                worth += max(
                    market.notional(valuation_price(leg, market), leg.remaining)
                    for leg in order.order_list.legs
                )
    return worth


def valuation_price(order: Order, market: Market) -> int:
    """The limit, the stop price, or the last price: what an open order is valued at."""
    return order.price or order.stop_price or market.last_price or 0


def _worth(order: Order, market: Market) -> int:
    """What a new order counts for against the account's notional limit."""
    if order.is_by_quote:
        return order.quantity
    if not order.is_market:
        return market.notional(valuation_price(order, market), order.quantity)
    return value_on_the_book(market, order)


def check_trigger(order: Order, market: Market) -> Refused | None:
    """Has the last price to be there, and is it beyond the stop price already?"""
    if not order.is_conditional:
        return None
    last, stop_price = market.last_price, order.stop_price
    if not stop_price:
        if last is None:
            return Refused(Code.NO_LAST_PRICE, "there is no last price yet to follow")
        return None
    if last is None:
        return None
    if last >= stop_price if rises_to_trigger(order.terms) else last <= stop_price:
        return Refused(Code.WOULD_TRIGGER, "the last price has reached the stop price already")
    return None


def check_book(order: Order, market: Market) -> Refused | None:
    """What the other side of the book forbids, where the order comes to it now."""
    if order.waits:
        return None
    if order.post_only or market.phase is POST_ONLY:
        if market.book.opposite_of(order).crosses(order.price):
            return Refused(Code.WOULD_TAKE, "the order would trade at once")
    elif order.is_by_quote:
        best = market.book.asks.best()
        if best is None or best.price > order.limit:
            return None
        if order.quantity < market.notional(best.price, market.min_quantity):
            return Refused(Code.QUANTITY_TOO_SMALL, "buys less than the minimum quantity")
        if order.quantity > market.notional(best.price, market.max_quantity):
            return Refused(Code.QUANTITY_TOO_LARGE, "could buy more than the maximum quantity")
    return None


def limit_of(order: Order, market: Market) -> int:
    """The worst price at which the order may trade; one that excludes nothing where it has none.

    A conditional buy without a limit may trade within the trigger band, for that is what it locks.
    """
    if order.price:
        return order.price
    if not order.is_buy:
        return 0
    reference = order.stop_price or market.last_price
    if not order.is_conditional or reference is None:
        return MAX_AMOUNT
    if order.trailing_delta:
        reference = -(-reference * (BASIS_POINTS + order.trailing_delta) // BASIS_POINTS)
    limit = min(reference * (PPM + market.rules.trigger_band_ppm) // PPM, MAX_AMOUNT)
    return limit // market.tick * market.tick


def cost_of(order: Order, market: Market) -> int:
    """The most that the order can cost: in the quote asset for a buy, in the base for a sell."""
    if not order.is_buy or order.is_by_quote:
        return order.quantity
    if order.is_market:
        return value_on_the_book(market, order)
    return market.notional(order.limit, order.quantity)


def check_funds(balance: Balance, cost: int) -> Refused | None:
    if cost <= balance.available:
        return None
    if cost > MAX_AMOUNT:
        return _OUT_OF_RANGE
    return Refused(Code.INSUFFICIENT_BALANCE, f"not enough {balance.asset} available")
