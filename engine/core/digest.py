"""The rolling digest: one hash that stands for every command and every event so far.

Two engines that agree on it were told the same and have done the same, in the same order, in the
same batches.
"""

from hashlib import sha256
from typing import Final

import msgspec

GENESIS: Final = "0" * 64
"""The digest before the first batch."""

encode_events: Final = msgspec.json.Encoder().encode
"""The one encoding of a batch's events, for the journal and for the digest."""


def roll(digest: str, commands: bytes, events: bytes) -> str:
    """The digest after a batch: SHA-256 over the digest before it and the batch as it is written.

    The events alone would not do: what a command leaves behind may show only in a later one.
    """
    content = sha256(digest.encode("ascii"))
    content.update(commands)
    content.update(events)
    return content.hexdigest()
