"""Why the naive exchange refuses: "Refusals" in `docs/ORDERS.md`, read from top to bottom."""

from engine.core.commands import OrderTerms
from engine.core.rejections import Code
from engine.core.tests.naive.market import (
    NaiveMarket,
    ceil_div,
    is_conditional,
    rises_to_its_stop,
)
from engine.core.types import (
    BASIS_POINTS,
    BUY,
    CANCEL_ONLY,
    CLOSED,
    FOK,
    GTC,
    GTD,
    HALTED,
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


class Refusal(Exception):
    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code


def require(holds: object, code: Code) -> None:
    if not holds:
        raise Refusal(code)


def check_phase(terms: OrderTerms, market: NaiveMarket) -> None:
    """The table "Phases"; every row that the order belongs to must allow it."""
    rows = {"conditional" if is_conditional(terms) else terms.type.value}
    if terms.type is LIMIT and terms.time_in_force not in (GTC, GTD):
        rows = {"immediate"}
    if terms.type is LIMIT and terms.post_only:
        rows = (rows - {"limit"}) | {"post_only"}
    allowed = {
        PRE_OPEN: {"limit", "conditional"},
        OPEN: {"limit", "post_only", "immediate", "market", "conditional"},
        POST_ONLY: {"limit", "post_only", "conditional"},
        CANCEL_ONLY: set(),
        HALTED: set(),
        CLOSED: set(),
    }
    require(rows <= allowed[market.phase], Code.PHASE_FORBIDS)


def check_form(terms: OrderTerms, now: int) -> None:
    """The table "Types and times in force": what has which fields."""
    has_date = terms.good_till is not None
    forms = [
        has_date == (terms.time_in_force is GTD),
        not has_date or (terms.good_till or 0) > now,
    ]
    if is_conditional(terms):
        has_limit = terms.type in (STOP_LOSS_LIMIT, TAKE_PROFIT_LIMIT)
        forms += [
            terms.quantity is not None and terms.quote_quantity is None,
            terms.stop_price is not None or terms.trailing_delta is not None,
            terms.trailing_delta is None or 0 < terms.trailing_delta <= 5_000,
            not terms.post_only,
            (terms.price is not None) == has_limit,
            has_limit or terms.time_in_force is IOC,
        ]
    else:
        forms += [terms.stop_price is None and terms.trailing_delta is None]
    if terms.type is LIMIT:
        forms += [
            terms.price is not None,
            terms.quantity is not None and terms.quote_quantity is None,
            not terms.post_only or terms.time_in_force in (GTC, GTD),
        ]
    if terms.type is MARKET:
        by_quote = terms.quote_quantity is not None
        forms += [
            terms.time_in_force in (IOC, FOK),
            not terms.post_only,
            by_quote == (terms.quantity is None),
            not by_quote or (terms.side is BUY and terms.time_in_force is IOC),
            terms.visible_quantity is None,
        ]
    if terms.visible_quantity is not None:
        forms += [
            terms.price is not None and terms.time_in_force in (GTC, GTD),
            0 < terms.visible_quantity <= (terms.quantity or 0),
        ]
    require(all(forms), Code.INVALID_ORDER)


def check_filters(terms: OrderTerms, market: NaiveMarket) -> None:
    """The quantity's, the prices', the notional's."""
    rules = market.rules
    if terms.quantity is not None:
        require(0 < terms.quantity <= MAX_AMOUNT, Code.AMOUNT_OUT_OF_RANGE)
        require(terms.quantity >= rules.min_quantity, Code.QUANTITY_TOO_SMALL)
        require(terms.quantity <= rules.max_quantity, Code.QUANTITY_TOO_LARGE)
        require(terms.quantity % rules.step == 0, Code.QUANTITY_OFF_STEP)
    for price in (terms.price, terms.stop_price):
        if price is not None:
            require(0 < price <= MAX_AMOUNT, Code.AMOUNT_OUT_OF_RANGE)
            require(price % rules.tick == 0, Code.PRICE_OFF_TICK)
            if market.last_price is not None:
                lowest = ceil_div(market.last_price * rules.band_down_ppm, PPM)
                highest = market.last_price * rules.band_up_ppm // PPM
                require(lowest <= price <= highest, Code.PRICE_OUT_OF_BAND)
    if terms.visible_quantity is not None:
        require(terms.visible_quantity % rules.step == 0, Code.QUANTITY_OFF_STEP)
        require((terms.quantity or 0) <= 100 * terms.visible_quantity, Code.TOO_MANY_PARTS)
    value = value_of(terms, market) if terms.type is not MARKET else terms.quote_quantity
    if value is not None:
        require(0 < value <= MAX_AMOUNT, Code.AMOUNT_OUT_OF_RANGE)
        require(value >= rules.min_notional, Code.NOTIONAL_TOO_SMALL)
        require(value <= rules.max_notional, Code.NOTIONAL_TOO_LARGE)


def value_of(terms: OrderTerms, market: NaiveMarket, quantity: int | None = None) -> int | None:
    """An order at its limit, else its stop price, else the last price; None where there is none."""
    price = terms.price or terms.stop_price or market.last_price
    if price is None:
        return None
    return market.notional(price, (terms.quantity or 0) if quantity is None else quantity)


def worst_price(terms: OrderTerms, market: NaiveMarket) -> int | None:
    """The limit; of a conditional buy without one: what it locks a unit for. See the docs."""
    if terms.price is not None or not is_conditional(terms) or terms.side is SELL:
        return terms.price
    trigger = terms.stop_price or market.last_price or 0
    if terms.trailing_delta is not None:
        trigger = ceil_div(trigger * (BASIS_POINTS + terms.trailing_delta), BASIS_POINTS)
    tick = market.rules.tick
    return trigger * (PPM + market.rules.trigger_band_ppm) // PPM // tick * tick


def check_trigger(terms: OrderTerms, market: NaiveMarket) -> None:
    last = market.last_price
    if not is_conditional(terms):
        return
    if terms.stop_price is None:
        require(last is not None, Code.NO_LAST_PRICE)
    elif last is not None:
        rises = rises_to_its_stop(terms)
        waits = last < terms.stop_price if rises else last > terms.stop_price
        require(waits, Code.WOULD_TRIGGER)


def check_book(terms: OrderTerms, market: NaiveMarket) -> None:
    """`terms` of an order that would come to the book now."""
    makers = market.makers(terms.side, terms.price)
    if terms.post_only or market.phase is POST_ONLY:
        require(not makers, Code.WOULD_TAKE)
    asks = market.makers(BUY, terms.price)
    if terms.quote_quantity is not None and asks:
        smallest, largest = market.rules.min_quantity, market.rules.max_quantity
        price = asks[0].limit or 0
        require(terms.quote_quantity >= market.notional(price, smallest), Code.QUANTITY_TOO_SMALL)
        require(terms.quote_quantity <= market.notional(price, largest), Code.QUANTITY_TOO_LARGE)


def check_legs(legs: tuple[OrderTerms, ...], market: NaiveMarket) -> None:
    """What makes two orders a list."""
    first, second = legs
    common = [(leg.account, leg.market, leg.side, leg.quantity) for leg in legs]
    names = {leg.client_order_id for leg in legs}
    last = market.last_price
    require(
        common[0] == common[1]
        and (is_conditional(first) or is_conditional(second))
        and all(is_conditional(leg) or leg.post_only for leg in legs)
        and (len(names) == 2 or names == {None})
        and last is not None,
        Code.INVALID_ORDER_LIST,
    )
    references = sorted(
        (leg.stop_price or last or 0) if is_conditional(leg) else (leg.price or 0) for leg in legs
    )
    require(references[0] < (last or 0) < references[1], Code.INVALID_ORDER_LIST)
