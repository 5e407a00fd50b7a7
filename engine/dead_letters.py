"""Messages on which the engine failed time and again, and what it said of them.

An exception while a command is applied is a bug, and ends the engine: its memory is worth nothing
then. Before, it notes in the hash `engine:suspects` on which message it failed, and how often by
now. A successor that finds suspects applies one message at a time, so that each is judged by
itself. After the third failure a journalled `POISON` refusal stands in for the command, and the
commit that writes it moves the message to the stream `engine:dead-letters`, where people find it.
Engines that were killed have noted nothing, so kills never count.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
import redis

SUSPECTS_KEY: Final = "engine:suspects"
DEAD_LETTERS_KEY: Final = "engine:dead-letters"

MAX_FAILURES: Final = 3
MAX_DEAD_LETTERS: Final = 1_000
"""Older ones are dropped; the journal still says that, and when, they were refused."""
MAX_REPORT: Final = 8_000
"""Characters of a traceback that are kept: the last ones, which say most."""

WHOLE_BATCH: Final = "batch"
"""Stands among the suspects where it is not known which message of a batch it was."""


class Failure(msgspec.Struct, frozen=True):
    """How often the engine failed on a message, and its newest traceback."""

    count: int
    report: str


class DeadLetter(msgspec.Struct, frozen=True):
    sequence: int
    """The journal entry with the refusal."""
    time: int
    """The engine's, in milliseconds since the epoch UTC."""
    sha256: str
    message: str
    """As it stood in the queue: `[reply_to, request_id] command` (see `engine/wire.py`)."""
    failures: int
    report: str


class Verdict(msgspec.Struct, frozen=True):
    """What a commit settles: these are suspects no more, and one of them may be condemned."""

    settled: Sequence[str]
    dead_letter: DeadLetter | None = None


def name_of(message: bytes) -> str:
    """What a message is called among the suspects."""
    return sha256(message).hexdigest()


encode_dead_letter: Final = msgspec.json.Encoder().encode
encode_failure: Final = msgspec.json.Encoder().encode
decode_failure: Final = msgspec.json.Decoder(Failure).decode
_decode_dead_letter: Final = msgspec.json.Decoder(DeadLetter).decode


def read_dead_letters(connection: "redis.Redis", *, count: int) -> list[DeadLetter]:
    """The newest `count`, newest first."""
    entries: Any = connection.xrevrange(DEAD_LETTERS_KEY, count=count)
    return [_decode_dead_letter(fields[b"letter"]) for _, fields in entries]


def count_dead_letters(connection: "redis.Redis") -> int:
    return int(connection.xlen(DEAD_LETTERS_KEY))
