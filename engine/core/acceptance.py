"""What is left out where an order is accepted, since the command says it already.

Most orders stand as they came. The journal and the reply then tell no more than a number: terms
that were written down once are not written down again.
"""

from engine.core.commands import Command, OrderTerms, PlaceOrder, ReplaceOrder
from engine.core.events import Event, OrderAccepted, OrderState, OrderUpdated
from engine.core.queries import Query
from engine.core.replies import Accepted, OrderReply, Reply
from engine.core.types import ACCEPTED, LIMIT, MARKET, NEW


def order_as_accepted(terms: OrderTerms, order_id: int, time: int) -> OrderState:
    """A new order before anything happens to it."""
    works = terms.type is LIMIT or terms.type is MARKET
    return OrderState(order_id, terms, NEW, 0, 0, 0, time, time, time if works else None, None)


def complete_event(event: Event, command: Command, time: int) -> Event:
    """The event with what it leaves out; `time` is that of its journal entry."""
    if not isinstance(event, OrderAccepted):
        return event
    assert isinstance(command, PlaceOrder | ReplaceOrder), command
    order = order_as_accepted(command.terms, event.order_id, time)
    return OrderUpdated(event.number, ACCEPTED, order)


def complete_reply(reply: Reply, message: Command | Query) -> Reply:
    """The reply with what it leaves out."""
    if isinstance(reply, Accepted):
        assert isinstance(message, PlaceOrder), message
        return OrderReply(order_as_accepted(message.terms, reply.order_id, reply.time))
    return reply
