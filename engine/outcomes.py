"""What can become of a message to the engine: an answer, or the truth about what is not known."""

from typing import Final, NamedTuple, get_args

import redis

from engine.core.commands import Command
from engine.core.queries import Query
from engine.core.replies import Reply
from engine.intake import JOURNAL_FULL, QUEUE_FULL
from engine.wire import MAX_MESSAGE_BYTES

_QUERIES: Final = get_args(Query)


class Answer(NamedTuple):
    """A reply, and the newest journal entry at that time: for a command, the one that holds it."""

    sequence: int
    reply: Reply


class EngineUnavailable(Exception):
    """The message was not handed over, or was a query: it has no effect, now or later."""


class EngineOverloaded(EngineUnavailable):
    """There is no room for more at the moment; the message has no effect."""


class StatusUnknown(Exception):
    """The command was handed over and no answer came in time: it may or may not take effect."""


def for_message(error: StatusUnknown, message: Command | Query) -> Exception:
    """A query has no effect, so its status is never in doubt."""
    return EngineUnavailable(str(error)) if isinstance(message, _QUERIES) else error


def refusal(error: redis.ResponseError) -> EngineUnavailable:
    """What it means that the engine's Redis answers a push with an error."""
    if isinstance(error, redis.OutOfMemoryError):
        return EngineOverloaded("the engine's Redis is full")
    return EngineUnavailable(f"the engine's Redis refuses: {error}")


def check_size(*envelopes: bytes) -> None:
    """Raises EngineUnavailable."""
    for envelope in envelopes:
        if len(envelope) > MAX_MESSAGE_BYTES:
            raise EngineUnavailable("the message is too long")


def check_accepted(answer: object) -> None:
    """Raises EngineOverloaded."""
    if answer == QUEUE_FULL:
        raise EngineOverloaded("the engine's queue is full")
    if answer == JOURNAL_FULL:
        raise EngineOverloaded("the engine's journal is full")
