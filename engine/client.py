"""Send a command to the engine and await its result."""

from typing import NamedTuple

from engine.core.commands import Command
from engine.core.queries import Query
from engine.core.replies import Reply


class Answer(NamedTuple):
    """A reply, and the journal entry that holds its command (for a query: the newest one)."""

    sequence: int
    reply: Reply


class EngineUnavailable(Exception):
    """The command was not handed over: it has no effect, now or later."""


class StatusUnknown(Exception):
    """The command was handed over and no answer came in time: it may or may not take effect."""


class EngineClient:
    def call(self, message: Command | Query, *, timeout: float = 5.0) -> Answer:
        raise NotImplementedError

    async def acall(self, message: Command | Query, *, timeout: float = 5.0) -> Answer:
        raise NotImplementedError


def engine_client() -> EngineClient:
    """The client of this process."""
    raise NotImplementedError
