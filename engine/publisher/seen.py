"""What the feeds need of a journal entry, which is less than it holds, and quicker to read.

Of an account's events they only keep the newest number; where somebody listens to them, the entry
is decoded in full. Arrays are longer than the structs here: what follows is skipped.
"""

from typing import Any, Final

import msgspec

from engine.core.events import (
    AccountConfigured,
    AssetDefined,
    DepthChanged,
    FeesSet,
    MarketDefined,
    NotionalLimited,
    OrderAccepted,
    OrderListUpdated,
    PhaseChanged,
    Rejected,
    TimerSet,
    Traded,
)
from engine.journal import EncodedEntry


class _Part(msgspec.Struct, array_like=True, gc=False):
    """The beginning of an array."""


class _Terms(_Part):
    account: int


class _Order(_Part):
    order_id: int
    terms: _Terms


class OrderSeen(_Part, tag_field="kind", tag="order_updated"):
    number: int
    change: str
    order: _Order


class OfAccount(_Part, tag_field="kind"):
    """Those that name the account beside their number."""

    number: int
    account: int


class BalanceSeen(OfAccount, tag="balance_changed"): ...


class DepositSeen(OfAccount, tag="deposited"): ...


class TransferSeen(OfAccount, tag="transferred"): ...


class WithdrawalSeen(OfAccount, tag="withdrawal_updated"): ...


class AccountSeen(OfAccount, tag="account_seen"):
    """Of an accepted order, whose account only its command names. Not in the journal."""


Seen = (
    OrderSeen
    | BalanceSeen
    | DepositSeen
    | TransferSeen
    | WithdrawalSeen
    | AccountSeen
    | AccountConfigured
    | AssetDefined
    | DepthChanged
    | FeesSet
    | MarketDefined
    | NotionalLimited
    | OrderAccepted
    | OrderListUpdated
    | PhaseChanged
    | Rejected
    | TimerSet
    | Traded
)


class _Subject(_Part):
    """The terms of an order, whose account stands first; or the terms of several."""

    account: Any


class _Command(_Part):
    kind: str
    subject: _Subject | int | str | None


_decode_events: Final = msgspec.json.Decoder(list[list[Seen]]).decode
_decode_commands: Final = msgspec.json.Decoder(list[_Command]).decode


def read_events(entry: EncodedEntry) -> list[list[Seen]]:
    """Raises msgspec.ValidationError where the entry is of another format."""
    found = _decode_events(entry.events)
    commands: list[_Command] | None = None
    for index, caused in enumerate(found):
        for place, event in enumerate(caused):
            if type(event) is OrderAccepted:
                if commands is None:
                    commands = _decode_commands(entry.commands)
                subject = commands[index - 1].subject
                assert isinstance(subject, _Subject), commands[index - 1]
                caused[place] = AccountSeen(event.number, subject.account)
    return found
