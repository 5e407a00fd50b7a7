"""What the projector reads of a journal entry: the events that bring rows.

Half of all events bring none, and of an order's event a fill says what the trade says anyway. The
decoder steps over both without making anything of them.
"""

from collections.abc import Iterator
from typing import Any, Final, TypeAlias, Union, get_args

import msgspec

from engine.core.acceptance import order_as_accepted
from engine.core.commands import Command, PlaceOrder, ReplaceOrder
from engine.core.events import (
    AccountConfigured,
    AssetDefined,
    BalanceChanged,
    Deposited,
    DepthChanged,
    Event,
    FeesSet,
    MarketDefined,
    NotionalLimited,
    OrderAccepted,
    OrderListUpdated,
    OrderState,
    OrderUpdated,
    PhaseChanged,
    Rejected,
    TimerSet,
    Traded,
    Transferred,
    WithdrawalUpdated,
)
from engine.core.types import Change
from engine.journal import EncodedEntry

WITHOUT_ROWS: Final = (DepthChanged, BalanceChanged, TimerSet, Rejected)


class OrderChanged(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    gc=False,
    tag_field="kind",
    tag=OrderUpdated.__struct_config__.tag,
):
    """`OrderUpdated` without its fill."""

    number: int
    change: Change
    order: OrderState


Definition: TypeAlias = (
    AssetDefined | MarketDefined | FeesSet | PhaseChanged | AccountConfigured | NotionalLimited
)
Movement: TypeAlias = Deposited | Transferred | WithdrawalUpdated
EventWithRows: TypeAlias = OrderChanged | Traded | Movement | OrderListUpdated | Definition


def _stepped_over(event: Any) -> type[msgspec.Struct]:
    """Of the same kind, with none of its fields."""
    tag = event.__struct_config__.tag
    return msgspec.defstruct(
        f"{event.__name__}Skipped", (), array_like=True, gc=False, tag_field="kind", tag=tag
    )


def _read_as(event: Any) -> Any:
    if event in WITHOUT_ROWS:
        return _stepped_over(event)
    return OrderChanged if event is OrderUpdated else event


_KINDS: Final = tuple(map(_read_as, get_args(Event)))
_SKIPPED: Final = frozenset(kind for kind in _KINDS if not kind.__struct_fields__)
_decode: Final = msgspec.json.Decoder[Any](list[list[Union[_KINDS]]]).decode  # type: ignore[valid-type]  # noqa: UP007


def read_events(entry: EncodedEntry) -> Iterator[EventWithRows]:
    """The entry's events that bring rows, in order, accepted orders with their terms.

    Raises msgspec.ValidationError where the entry is of another format.
    """
    commands: list[Command] = []
    events: list[list[Any]] = _decode(entry.events)
    for index, caused in enumerate(events):
        for event in caused:
            if type(event) is OrderAccepted:
                commands = commands or entry.decode_commands()
                command = commands[index - 1]
                assert isinstance(command, PlaceOrder | ReplaceOrder), command
                order = order_as_accepted(command.terms, event.order_id, entry.time)
                yield OrderChanged(event.number, Change.ACCEPTED, order)
            elif type(event) not in _SKIPPED:
                yield event
