"""An order while it lives in the engine."""

from typing import TYPE_CHECKING, Final, cast

from msgspec.structs import astuple

from engine.core.accounts import Account, Balance
from engine.core.commands import OrderTerms
from engine.core.events import OrderState
from engine.core.types import (
    BUY,
    FOK,
    GTC,
    GTD,
    LIMIT,
    MARKET,
    NEW,
    NO_PREVENTION,
    PARTIALLY_FILLED,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

if TYPE_CHECKING:
    from engine.core.markets import Participant
    from engine.core.order_book import PriceLevel
    from engine.core.order_lists import OrderList

# Bound once: the compiled core looks up other names of a module in a dictionary, each time.
_astuple: Final = astuple
_order_state: Final = OrderState

_Terms = tuple[
    int,
    str,
    Side,
    OrderType,
    TimeInForce,
    int | None,
    int | None,
    int | None,
    bool,
    str | None,
    int | None,
    int | None,
    int | None,
    int | None,
    SelfTradePrevention,
]
"""What `OrderTerms` consists of, field by field."""


class Order:
    """An order's terms, what is left of it, what it locks, and its place in a queue.

    The queue is a level of the book, or of the triggers while a conditional order waits. What the
    hot path asks of the terms is read off once, when they are set: 0 stands for what is not given.
    """

    __slots__ = (
        "account",
        "behind",
        "can_stand",
        "client_order_id",
        "created_at",
        "executed_quantity",
        "executed_quote_quantity",
        "good_till",
        "in_front",
        "is_buy",
        "is_by_quote",
        "is_complete",
        "is_conditional",
        "is_fok",
        "is_market",
        "is_plain",
        "is_tracked",
        "level",
        "limit",
        "list_id",
        "locked",
        "order_id",
        "order_list",
        "participant",
        "pays",
        "post_only",
        "prevented_quantity",
        "prevents_self_trade",
        "price",
        "quantity",
        "receives",
        "remaining",
        "shown",
        "stop_price",
        "terms",
        "trailing_delta",
        "updated_at",
        "visible_quantity",
        "waits",
        "working_since",
    )

    def __init__(
        self, order_id: int, terms: OrderTerms, participant: "Participant", now: int
    ) -> None:
        self.order_id = order_id
        self.participant = participant
        self.account: Account = participant.account
        self.set_terms(terms)
        self.pays: Balance = participant.quote if self.is_buy else participant.base
        self.receives: Balance = participant.base if self.is_buy else participant.quote
        self.limit = 0
        """The worst price at which it trades; one that excludes nothing where it has none."""
        self.remaining = self.quantity
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
        self.waits = self.is_conditional
        """For its trigger, and then for its turn."""
        self.is_tracked = False
        """It waits as a trailing order whose best price is followed."""
        self.list_id = 0
        """Of the order list that it was placed with; 0: of none."""
        self.order_list: OrderList | None = None
        """While it is tied to the other leg."""
        self.level: PriceLevel | None = None
        self.in_front: Order | None = None
        self.behind: Order | None = None

    def set_terms(self, terms: OrderTerms) -> None:
        (
            _account,
            _market,
            side,
            kind,
            lifetime,
            price,
            quantity,
            quote_quantity,
            post_only,
            client_order_id,
            good_till,
            stop_price,
            trailing_delta,
            visible_quantity,
            self_trade_prevention,
        ) = cast(_Terms, _astuple(terms))  # all at once: one by one costs more than the rest here
        self.terms = terms
        self.is_buy = side is BUY
        self.client_order_id: str | None = client_order_id
        self.price: int = price or 0
        self.quantity: int = quantity or quote_quantity or 0
        self.stop_price: int = stop_price or 0
        self.trailing_delta: int = trailing_delta or 0
        self.visible_quantity: int = visible_quantity or 0
        self.good_till: int = good_till or 0
        self.post_only = post_only
        self.is_by_quote = quote_quantity is not None
        self.is_market = kind is MARKET
        self.is_conditional = kind is not LIMIT and kind is not MARKET
        self.is_fok = lifetime is FOK
        self.can_stand = not self.is_market and (lifetime is GTC or lifetime is GTD)
        """What cannot trade at once stays in the book."""
        self.prevents_self_trade = self_trade_prevention is not NO_PREVENTION
        self.is_plain = (
            kind is LIMIT
            and price is not None
            and quantity is not None
            and quote_quantity is None
            and stop_price is None
            and trailing_delta is None
            and visible_quantity is None
            and good_till is None
            and lifetime is not GTD
            and (not self.post_only or lifetime is GTC)
        )
        """A well-formed limit order with nothing special to it, as most are."""

    @property
    def open_status(self) -> OrderStatus:
        return PARTIALLY_FILLED if self.executed_quantity else NEW

    def is_own(self, other: "Order") -> bool:
        """Are both of one account, or of one trade group?"""
        mine, its = self.account, other.account
        return mine is its or (mine.trade_group is not None and mine.trade_group == its.trade_group)

    def state(self, status: OrderStatus) -> OrderState:
        return _order_state(
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
