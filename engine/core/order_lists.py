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
