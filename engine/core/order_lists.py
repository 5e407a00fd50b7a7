"""Two orders of which one cancels the other."""

from engine.core.order import Order


class OrderList:
    """The tie between two legs, until one of them trades, triggers or ends."""

    __slots__ = ("client_list_id", "legs", "list_id")

    def __init__(self, list_id: int, client_list_id: str | None, legs: tuple[Order, Order]) -> None:
        self.list_id = list_id
        self.client_list_id = client_list_id
        self.legs = legs

    def other(self, leg: Order) -> Order:
        first, second = self.legs
        return second if leg is first else first


def problem_with_legs(first: Order, second: Order) -> str | None:
    """Why these two cannot be tied."""
    one, other = first.terms, second.terms
    if (one.account, one.market, one.side, one.quantity) != (
        other.account,
        other.market,
        other.side,
        other.quantity,
    ):
        return "both legs have one account, market, side and quantity"
    if not (first.is_conditional or second.is_conditional):
        return "at least one leg is conditional"
    if not all(leg.is_conditional or leg.post_only for leg in (first, second)):
        return "a leg is conditional or a post-only limit order"
    if first.client_order_id is not None and first.client_order_id == second.client_order_id:
        return "the legs have the same client order id"
    last = first.participant.market.last_price
    if last is None:
        return "there is no last price for the legs to lie around"
    below, above = sorted(_reference_price(leg, last) for leg in (first, second))
    return None if below < last < above else "one leg lies above the last price, one below"


def _reference_price(leg: Order, last_price: int) -> int:
    """Where the leg waits: at its limit in the book, or for its stop price."""
    return (leg.stop_price if leg.is_conditional else leg.price) or last_price
