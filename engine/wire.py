"""What travels through Redis between the clients and the worker.

A client pushes `[reply_to, request_id] message` on the list `engine:commands`: two JSON texts with
a space between. Where nothing waited it rings, too: an entry in the stream `engine:bell`, for which
the worker waits. The message stands in the journal as it came. The worker publishes `[sequence,
time, [[request_id, reply], ...]]` on the channel `engine:replies:<reply_to>`, one message per
client process and batch.
"""

from typing import Any, Final

import msgspec

from engine.core.commands import Command
from engine.core.messages import Int64
from engine.core.queries import Query
from engine.core.replies import Reply

QUEUE_KEY: Final = "engine:commands"
BELL_KEY: Final = "engine:bell"
LEASE_KEY: Final = "engine:lease"
EPOCH_KEY: Final = "engine:epoch"
REPLY_CHANNEL: Final = "engine:replies:"

MAX_MESSAGE_BYTES: Final = 4096
"""A longer message is malformed, whatever it says."""


class Address(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """Whom to answer."""

    reply_to: str
    request_id: Int64


Origins = list[Address | None]
"""Where the commands of a journal entry came from, in their order."""


class Replies(msgspec.Struct, frozen=True, array_like=True):
    """All answers of a batch to one client process; `sequence` is the journal's tail after it.

    `time` is the engine's, by which commands expire.
    """

    sequence: int
    time: int
    replies: list[tuple[int, Reply]]


encode: Final = msgspec.json.Encoder().encode
decode_address: Final = msgspec.json.Decoder(Address).decode
decode_message: Final = msgspec.json.Decoder(Command | Query).decode
decode_replies: Final = msgspec.json.Decoder(Replies).decode
decode_origins: Final = msgspec.json.Decoder(Origins).decode


def encode_envelope(reply_to: str, request_id: int, message: Any) -> bytes:
    return b"%b %b" % (encode(Address(reply_to, request_id)), encode(message))


def open_envelope(raw: bytes) -> tuple[bytes, bytes]:
    """The texts of address and message; of what is no envelope, one of them is unreadable."""
    address, _, message = raw.partition(b" ")
    return address, message
