"""What the projector's own decoder makes of an entry's events."""

import random

import msgspec
import pytest
from msgspec.structs import asdict

from engine.core.acceptance import complete_event
from engine.core.commands import Command
from engine.core.engine import Engine
from engine.core.events import (
    BalanceChanged,
    DepthChanged,
    Event,
    Fill,
    OrderState,
    OrderUpdated,
    Rejected,
    TimerSet,
)
from engine.core.rejections import Code
from engine.core.tests.naive.exchange import NaiveExchange
from engine.core.tests.random_commands import BEGIN, GRID, RandomCommands
from engine.core.types import Change, Liquidity, Side
from engine.journal import EncodedEntry
from engine.projector.copying import array_of, copy_block, copy_field, escape, quote_item
from engine.projector.reading import OrderChanged, read_events
from engine.projector.writer import ORDER_AMENDMENTS, ORDER_CHANGES
from engine.tests.journals import JournalWriter, operators_journal, small_journal


def as_read_whole(entry: EncodedEntry) -> list[object]:
    return [
        OrderChanged(event.number, event.change, event.order)
        if isinstance(event, OrderUpdated)
        else event
        for events in entry.decode_events()
        for event in events
    ]


@pytest.mark.parametrize("entry", [*small_journal(), *operators_journal()])
def test_events_are_those_of_the_whole_entry(entry: EncodedEntry) -> None:
    assert list(read_events(entry)) == as_read_whole(entry)


def test_what_brings_no_row_is_stepped_over() -> None:
    journal = JournalWriter()
    journal.place(1, Side.BUY, 1, 1)
    fill = Fill(1, 2, 3, 4, 5, "BTC", Liquidity.MAKER)
    journal.emit(
        BalanceChanged(1, 1, "BTC", 1, 2),
        DepthChanged("BTCUSDT", 1, Side.BUY, 1, 1),
        TimerSet(1, None, 5),
        Rejected(Code.UNKNOWN_ORDER, "none"),
        OrderUpdated(3, Change.TRADED, journal.orders[1], fill),
    )
    order = journal.orders[1]
    assert list(read_events(journal.commit())) == [
        OrderChanged(1, Change.ACCEPTED, order),
        OrderChanged(3, Change.TRADED, order),
    ]


def test_an_unknown_event_is_a_loud_error() -> None:
    entry = msgspec.structs.replace(small_journal()[0], events=b'[[["invented", 1]]]')
    with pytest.raises(msgspec.ValidationError):
        list(read_events(entry))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("plain-1", "plain-1"), ("\\N", "\\\\N"), ("\t\n\r", "\\t\\n\\r"), ("\\.", "\\\\."), ("", "")],
)
def test_what_copy_would_take_for_something_else_is_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_rows_are_lines() -> None:
    assert (
        copy_block([(1, "a", True), (2, copy_field(None), False)]) == "1\ta\tTrue\n2\t\\N\tFalse\n"
    )
    assert [copy_field(value) for value in (None, 5, [1, 2], "\t")] == ["\\N", "5", "{1,2}", "\\t"]
    assert copy_block([]) == ""


def test_columns_are_arrays() -> None:
    assert array_of([1, None, quote_item('a"\\')]) == '{1,NULL,"a\\"\\\\"}'


GOES_ON = {*ORDER_CHANGES} - {"order_id", "change", "sequence"}
AMENDED = {*ORDER_AMENDMENTS} - {*ORDER_CHANGES}


def differences(before: OrderState, after: OrderState) -> set[str]:
    fields = {**asdict(before), **asdict(before.terms)}
    now = {**asdict(after), **asdict(after.terms)}
    return {name for name in fields if fields[name] != now[name]} - {"terms"}


@pytest.mark.parametrize("seed", range(3))
def test_what_an_update_leaves_out_never_changes(seed: int) -> None:
    """Whatever happens to an order: see `writer.ORDER_CHANGES`."""
    naive, engine, now = NaiveExchange(1_000), Engine(), 1_000
    engine.advance(now)
    some = RandomCommands(random.Random(seed), naive)
    orders: dict[int, OrderState] = {}
    seen: set[Change] = set()

    def hear(events: list[Event]) -> None:
        for event in events:
            if isinstance(event, OrderUpdated):
                before = orders.setdefault(event.order.order_id, event.order)
                may = GOES_ON | AMENDED if event.change is Change.AMENDED else GOES_ON
                assert differences(before, event.order) <= may
                orders[event.order.order_id] = event.order
                seen.add(event.change)
        naive.told.clear()
        naive.trades.clear()

    def do(command: Command) -> None:
        events = engine.apply(command)[1]
        naive.apply(command)
        hear([complete_event(event, command, now) for event in events])

    for command in [*BEGIN, *map(some.rules, GRID)]:
        do(command)
    for _ in range(1_000):
        if chosen := some.next():
            do(chosen)
        now += 1
        naive.advance(now)
        hear(engine.advance(now))
    assert seen == {*Change}
