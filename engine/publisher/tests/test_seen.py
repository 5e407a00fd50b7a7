"""The feeds read less of an entry than there is, and miss nothing that they need."""

from random import Random
from typing import Any, get_args

import msgspec
import pytest

from engine.core.commands import (
    Command,
    OrderTerms,
    PlaceOrder,
    PlaceOrderList,
    ReplaceOrder,
    SetPhase,
)
from engine.core.events import Event, OrderAccepted, OrderUpdated, Rejected
from engine.core.rejections import Code
from engine.core.types import OrderType, Phase, ReplaceMode, Side, TimeInForce
from engine.journal import EncodedEntry
from engine.publisher.feeds import Feeds
from engine.publisher.seen import Seen
from engine.publisher.tests.journal import START_MS, entries_of, random_exchange
from engine.tests.journals import operators_journal, small_journal


def numbers_in_full(entries: list[EncodedEntry]) -> dict[int, int]:
    """The newest event of each account, of events as they were decoded in full."""
    newest: dict[int, int] = {}
    for entry in entries:
        for event in (event for caused in entry.decode_events() for event in caused):
            account = getattr(event, "account", None)
            if isinstance(event, OrderUpdated):
                account = event.order.terms.account
            if account is not None and hasattr(event, "number"):
                newest[account] = event.number
    return newest


def entry_of(commands: list[Command], events: list[list[Event]]) -> EncodedEntry:
    commands_text, events_text = msgspec.json.encode(commands), msgspec.json.encode(events)
    return EncodedEntry(1, 1, 1, START_MS, commands_text, events_text, "")


def terms(account: int) -> OrderTerms:
    return OrderTerms(account, "ABC", Side.BUY, OrderType.LIMIT, TimeInForce.GTC, 1, 1)


ACCEPTED = entry_of(
    [
        SetPhase("ABC", Phase.HALTED, None),
        PlaceOrder(terms(7), START_MS),
        PlaceOrderList((terms(9), terms(9)), START_MS),
        ReplaceOrder(terms(8), ReplaceMode.STOP_ON_FAILURE, START_MS, order_id=3),
    ],
    [[], [], [OrderAccepted(4, 1)], [], [Rejected(Code.EXPIRED, ""), OrderAccepted(5, 2)]],
)


@pytest.mark.parametrize(
    "entries",
    [
        entries_of(random_exchange(2), Random(2)),
        small_journal(),
        operators_journal(),
    ],
    ids=["random", "small", "operators"],
)
def test_accounts_have_the_numbers_of_their_newest_events(entries: list[EncodedEntry]) -> None:
    feeds = Feeds()
    for entry in entries:
        feeds.apply(entry)
    assert feeds.numbers == numbers_in_full(entries)
    assert feeds.numbers


def test_who_an_accepted_order_is_of_stands_in_its_command() -> None:
    feeds = Feeds()
    feeds.apply(ACCEPTED)
    assert feeds.numbers == {7: 4, 8: 5} == numbers_in_full([ACCEPTED])


def test_every_kind_of_event_can_be_read() -> None:
    def kinds(union: Any) -> set[Any]:
        return {member.__struct_config__.tag for member in get_args(union)}

    assert kinds(Event) < kinds(Seen)
    assert kinds(Seen) - kinds(Event) == {"account_seen"}
