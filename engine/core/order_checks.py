"""Is an order well formed, and does it keep all rules? Nothing here changes anything.

The first broken rule answers, in the order of "Refusals" in `docs/ORDERS.md`.
"""

from typing import Final

from engine.core.accounts import Account
from engine.core.commands import OrderTerms
from engine.core.liquidity import cost_of_buying, value_of_selling
from engine.core.markets import Market, Participant
from engine.core.rejections import Code
from engine.core.replies import Refused
from engine.core.triggers import rises_to_trigger
from engine.core.types import (
    BASIS_POINTS,
    BUY,
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
)

MAX_TRAILING_DELTA: Final = 5_000
"""In basis points."""

_OUT_OF_RANGE: Final = Refused(
    Code.AMOUNT_OUT_OF_RANGE, "amounts, and price times quantity, must be positive and below 2^63"
)


def is_conditional(terms: OrderTerms) -> bool:
    return terms.type is not LIMIT and terms.type is not MARKET


def check_phase(terms: OrderTerms, market: Market) -> Refused | None:
    phase = market.phase
    if phase is OPEN and market.clearing_price is None:
        return None
    if market.clearing_price is not None:
        return Refused(Code.PHASE_FORBIDS, "an auction is going on")
    if phase is not PRE_OPEN and phase is not POST_ONLY:
        return Refused(Code.PHASE_FORBIDS, f"the market is {phase.value}")
    if is_conditional(terms):
        return None
    if terms.time_in_force is not GTC and terms.time_in_force is not GTD:
        return Refused(Code.PHASE_FORBIDS, "the market takes only orders that can stand")
    if phase is PRE_OPEN and terms.post_only:
        return Refused(Code.PHASE_FORBIDS, "no order is post-only in a call")
    return None


def check_terms(terms: OrderTerms, market: Market, now: int) -> Refused | None:
    """The order's form and the market's filters."""
    if problem := _problem_with_form(terms, now):
        return Refused(Code.INVALID_ORDER, problem)
    if terms.quantity is not None and (refused := _check_quantity(terms.quantity, market)):
        return refused
    if terms.price is not None and (refused := _check_price(terms.price, market)):
        return refused
    if terms.stop_price is not None and (refused := _check_price(terms.stop_price, market)):
        return refused
    if terms.visible_quantity is not None and terms.visible_quantity % market.rules.step:
        return Refused(Code.QUANTITY_OFF_STEP, "the visible quantity is no multiple of the step")
    return _check_notional(terms, market)


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
    market.move_band()
    if not market.lowest_price <= price <= market.highest_price:
        return Refused(Code.PRICE_OUT_OF_BAND, "too far from the last price")
    return None


def _check_notional(terms: OrderTerms, market: Market) -> Refused | None:
    notional = terms.quote_quantity
    price = terms.price or terms.stop_price or market.last_price
    if terms.quantity is not None and price is not None and terms.type is not MARKET:
        notional = market.notional(price, terms.quantity)
    if notional is None:  # a market order by quantity is not valued beforehand
        return None
    if not 0 < notional <= MAX_AMOUNT:
        return _OUT_OF_RANGE
    if notional < market.rules.min_notional:
        return Refused(Code.NOTIONAL_TOO_SMALL, "below the market's minimum notional")
    if notional > market.rules.max_notional:
        return Refused(Code.NOTIONAL_TOO_LARGE, "above the market's maximum notional")
    return None


def check_account(account: Account | None) -> Refused | None:
    if account is None:
        return Refused(Code.INSUFFICIENT_BALANCE, "the account never held anything")
    if account.frozen:
        return Refused(Code.ACCOUNT_FROZEN, "the account is frozen")
    return None


def check_client_order_id(client_order_id: str | None, participant: Participant) -> Refused | None:
    if client_order_id in participant.client_orders:
        return Refused(Code.DUPLICATE_CLIENT_ORDER_ID, "an open order has this client order id")
    return None


def check_limits(terms: OrderTerms, participant: Participant, more: int = 1) -> Refused | None:
    """The limits on open orders, where `more` orders like this are to come."""
    account, market = participant.account, participant.market
    stays = is_conditional(terms) or terms.time_in_force is GTC or terms.time_in_force is GTD
    if stays and not account.unlimited_orders:
        rules = market.rules
        most = rules.max_open_orders
        if most is not None and len(participant.orders) + more > most:
            return Refused(Code.TOO_MANY_ORDERS, f"at most {most} open orders in this market")
        most = rules.max_conditional_orders
        if is_conditional(terms) and most is not None and participant.conditional_count + 1 > most:
            return Refused(
                Code.TOO_MANY_CONDITIONAL_ORDERS,
                f"at most {most} conditional orders in this market",
            )
    if not account.notional_limits:
        return None
    return check_notional_limit(worth_of(terms, participant), participant)


def check_notional_limit(worth: int, participant: Participant) -> Refused | None:
    """Would open orders worth so much more exceed what the account may have?"""
    market = participant.market
    limit = participant.account.notional_limits.get(market.quote)
    if limit is None or worth + _open_worth(participant.account, market.quote) <= limit:
        return None
    return Refused(Code.NOTIONAL_LIMIT_EXCEEDED, f"open orders are limited to {limit} in units")


def _open_worth(account: Account, quote: str) -> int:
    """What the account's open orders in the markets of a quote asset are worth."""
    worth, counted = 0, set()
    for participant in account.participants.values():
        market = participant.market
        if market.quote != quote:
            continue
        for order in participant.orders.values():
            if order.order_list is None:
                worth += market.notional(valuation_price(order.terms, market), order.remaining)
            elif order.order_list.list_id not in counted:  # one of the legs will trade, not both
                counted.add(order.order_list.list_id)
                worth += max(
                    market.notional(valuation_price(leg.terms, market), leg.remaining)
                    for leg in order.order_list.legs
                )
    return worth


def valuation_price(terms: OrderTerms, market: Market) -> int:
    """The limit, the stop price, or the last price: what an open order is valued at."""
    return terms.price or terms.stop_price or market.last_price or 0


def worth_of(terms: OrderTerms, participant: Participant) -> int:
    """What a new order counts for against the account's notional limit."""
    market = participant.market
    if terms.quote_quantity is not None:
        return terms.quote_quantity
    quantity = terms.quantity or 0
    if terms.type is not MARKET:
        return market.notional(valuation_price(terms, market), quantity)
    limit = limit_of(terms, market)
    if terms.side is BUY:
        mode = terms.self_trade_prevention
        return cost_of_buying(market, quantity, limit, participant.account, mode)
    return value_of_selling(market, quantity, limit)


def check_trigger(terms: OrderTerms, market: Market) -> Refused | None:
    """Has the last price to be there, and is it beyond the stop price already?"""
    last = market.last_price
    if terms.stop_price is None:
        if terms.trailing_delta is not None and last is None:
            return Refused(Code.NO_LAST_PRICE, "there is no last price yet to follow")
        return None
    if last is None:
        return None
    if last >= terms.stop_price if rises_to_trigger(terms) else last <= terms.stop_price:
        return Refused(Code.WOULD_TRIGGER, "the last price has reached the stop price already")
    return None


def check_book(terms: OrderTerms, market: Market) -> Refused | None:
    """What the other side of the book forbids."""
    if is_conditional(terms):
        return None
    if terms.post_only or market.phase is POST_ONLY:
        if terms.price is not None and market.book.opposite(terms.side).crosses(terms.price):
            return Refused(Code.WOULD_TAKE, "the order would trade at once")
    elif terms.quote_quantity is not None:
        best = market.book.asks.best()
        rules = market.rules
        if best and terms.quote_quantity < market.notional(best.price, rules.min_quantity):
            return Refused(Code.QUANTITY_TOO_SMALL, "buys less than the minimum quantity")
        if best and terms.quote_quantity > market.notional(best.price, rules.max_quantity):
            return Refused(Code.QUANTITY_TOO_LARGE, "could buy more than the maximum quantity")
    return None


def limit_of(terms: OrderTerms, market: Market) -> int:
    """The worst price at which the order may trade; one that excludes nothing where it has none.

    A conditional buy without a limit may trade within the trigger band, for that is what it locks.
    """
    if terms.price is not None:
        return terms.price
    if terms.side is SELL:
        return 0
    reference = terms.stop_price or market.last_price
    if not is_conditional(terms) or reference is None:
        return MAX_AMOUNT
    if terms.trailing_delta is not None:
        reference = -(-reference * (BASIS_POINTS + terms.trailing_delta) // BASIS_POINTS)
    tick = market.rules.tick
    return reference * (PPM + market.rules.trigger_band_ppm) // PPM // tick * tick


def cost_of(terms: OrderTerms, participant: Participant) -> int:
    """The most that the order can cost: in the quote asset for a buy, in the base for a sell."""
    market = participant.market
    quantity = terms.quantity or 0
    if terms.side is SELL:
        return quantity
    if terms.quote_quantity is not None:
        return terms.quote_quantity
    limit = limit_of(terms, market)
    if terms.type is not MARKET:
        return market.notional(limit, quantity)
    mode = terms.self_trade_prevention
    return cost_of_buying(market, quantity, limit, participant.account, mode)


def check_funds(terms: OrderTerms, participant: Participant, cost: int) -> Refused | None:
    balance = participant.quote if terms.side is BUY else participant.base
    if cost > MAX_AMOUNT:
        return _OUT_OF_RANGE
    if balance.available < cost:
        return Refused(Code.INSUFFICIENT_BALANCE, f"not enough {balance.asset} available")
    return None
