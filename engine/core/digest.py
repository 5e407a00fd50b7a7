"""The rolling digest: one hash that stands for every event so far.

Two engines that agree on it have done the same, in the same order, in the same batches.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from engine.core.events import Event

GENESIS: Final = "0" * 64
"""The digest before the first batch."""

encode_events: Final = msgspec.json.Encoder().encode
"""The one encoding of a batch's events, for the journal and for the digest."""


def roll(digest: str, encoded_events: bytes) -> str:
    """The digest after a batch: SHA-256 over the digest before it and its encoded events."""
    return sha256(digest.encode("ascii") + encoded_events).hexdigest()


def roll_events(digest: str, events: Sequence[Sequence[Event]]) -> str:
    return roll(digest, encode_events(events))
