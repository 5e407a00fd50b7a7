"""An order while it lives in the engine."""

from typing import TYPE_CHECKING

from engine.core.accounts import Account, Balance
from engine.core.commands import OrderTerms
from engine.core.events import OrderState
from engine.core.types import (
    BUY,
    GTC,
    GTD,
    LIMIT,
    MARKET,
    NEW,
    NO_PREVENTION,
    PARTIALLY_FILLED,
    OrderStatus,
)

if TYPE_CHECKING:
    from engine.core.markets import Participant
    from engine.core.order_book import PriceLevel
    from engine.core.order_lists import OrderList


class Order:
    """What is left of an order's terms, what it locks, and its place in a queue.

    The queue is a level of the book, or of the triggers while a conditional order waits.
    """

    __slots__ = (
        "account",
        "behind",
        "created_at",
        "executed_quantity",
        "executed_quote_quantity",
        "in_front",
        "is_buy",
        "is_by_quote",
        "is_complete",
        "is_tracked",
        "level",
        "limit",
        "list_id",
        "locked",
        "order_id",
        "order_list",
        "participant",
        "pays",
        "prevented_quantity",
        "prevents_self_trade",
        "receives",
        "remaining",
        "shown",
        "stands",
        "terms",
        "updated_at",
        "waits",
        "working_since",
    )

    def __init__(
        self, order_id: int, terms: OrderTerms, participant: "Participant", limit: int, now: int
    ) -> None:
        self.order_id = order_id
        self.participant = participant
        self.account: Account = participant.account
        self.is_buy = terms.side is BUY
        self.pays: Balance = participant.quote if self.is_buy else participant.base
        self.receives: Balance = participant.base if self.is_buy else participant.quote
        self.is_by_quote = terms.quote_quantity is not None
        self.remaining: int = terms.quantity or terms.quote_quantity or 0
        """In the base asset; in the quote asset where the terms give a quote amount."""
        self.shown = 0
        """How much of the remaining quantity the book shows, while it stands there."""
        self.locked = 0
        """Of the balance that it pays from."""
        self.executed_quantity = 0
        self.executed_quote_quantity = 0
        self.prevented_quantity = 0
        self.created_at = now
        self.updated_at = now
        self.working_since = 0
        """0 while it waits for its trigger."""
        self.is_complete = False
        """It wants no more: filled, or by quote amount and the rest buys no step."""
        self.waits = terms.type is not LIMIT and terms.type is not MARKET
        """For its trigger."""
        self.is_tracked = False
        """It waits as a trailing order whose best price is followed."""
        self.list_id = 0
        """Of the order list that it was placed with; 0: of none."""
        self.order_list: OrderList | None = None
        """While it is tied to the other leg."""
        self.level: PriceLevel | None = None
        self.in_front: Order | None = None
        self.behind: Order | None = None
        self.set_terms(terms, limit)

    def set_terms(self, terms: OrderTerms, limit: int) -> None:
        self.terms = terms
        self.limit = limit
        """The worst price at which it trades; one that excludes nothing where it has none."""
        self.stands = (
            terms.price is not None
            and terms.type is not MARKET
            and (terms.time_in_force is GTC or terms.time_in_force is GTD)
        )
        """What cannot trade at once stays in the book."""
        self.prevents_self_trade = terms.self_trade_prevention is not NO_PREVENTION

    @property
    def open_status(self) -> OrderStatus:
        return PARTIALLY_FILLED if self.executed_quantity else NEW

    def is_own(self, other: "Order") -> bool:
        """Are both of one account, or of one trade group?"""
        mine, its = self.account, other.account
        return mine is its or (mine.trade_group is not None and mine.trade_group == its.trade_group)

    def state(self, status: OrderStatus) -> OrderState:
        return OrderState(
            self.order_id,
            self.terms,
            status,
            self.executed_quantity,
            self.executed_quote_quantity,
            self.prevented_quantity,
            self.created_at,
            self.updated_at,
            self.working_since or None,
            self.list_id or None,
        )
