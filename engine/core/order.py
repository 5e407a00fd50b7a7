"""An order while it lives in the engine."""

from typing import TYPE_CHECKING

from engine.core.accounts import Account
from engine.core.commands import OrderTerms
from engine.core.events import OrderState
from engine.core.types import BUY, NEW, PARTIALLY_FILLED, OrderStatus

if TYPE_CHECKING:
    from engine.core.order_book import PriceLevel


class Order:
    """What is left of an order's terms, and its place in the queue of a price level."""

    __slots__ = (
        "account",
        "behind",
        "created_at",
        "executed_quantity",
        "executed_quote_quantity",
        "in_front",
        "is_buy",
        "level",
        "order_id",
        "remaining",
        "terms",
        "updated_at",
    )

    def __init__(self, order_id: int, terms: OrderTerms, account: Account, now: int) -> None:
        self.order_id = order_id
        self.terms = terms
        self.account = account
        self.is_buy = terms.side is BUY
        self.remaining = terms.quantity or 0
        """In the base asset; stays 0 where the terms give a quote amount instead."""
        self.executed_quantity = 0
        self.executed_quote_quantity = 0
        self.created_at = now
        self.updated_at = now
        self.level: PriceLevel | None = None
        self.in_front: Order | None = None
        self.behind: Order | None = None

    @property
    def open_status(self) -> OrderStatus:
        return PARTIALLY_FILLED if self.executed_quantity else NEW

    def state(self, status: OrderStatus) -> OrderState:
        return OrderState(
            self.order_id,
            self.terms,
            status,
            self.executed_quantity,
            self.executed_quote_quantity,
            self.created_at,
            self.updated_at,
        )
