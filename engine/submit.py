"""Hand a command to the engine and treat a refusal as what it is to a caller: an error.

What begins with an `a` is for coroutines.
"""

from collections.abc import Sequence

from engine.client import Answer, engine_client
from engine.core.commands import Command
from engine.core.queries import Query
from engine.core.rejections import Code
from engine.core.replies import Refused
from engine.loop_client import Outcome, loop_client


class CommandRefused(Exception):
    """The engine refused: the command changed nothing, or there is no answer to the query."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def submit(message: Command | Query, *, timeout: float = 5.0) -> Answer:
    """The engine's answer. Raises CommandRefused, EngineUnavailable or StatusUnknown."""
    return _accepted(engine_client().call(message, timeout=timeout))


async def asubmit(message: Command | Query) -> Answer:
    """Likewise."""
    client = loop_client()
    await client.ready()
    (outcome,) = await client.post([message])
    if isinstance(outcome, Exception):
        raise outcome
    return _accepted(outcome)


async def asubmit_all(messages: Sequence[Command | Query]) -> list[Outcome]:
    """The answer to each, or its EngineUnavailable or StatusUnknown; refusals are answers here.

    They are handed over together or not at all. Raises EngineUnavailable for the whole list.
    """
    if not messages:
        return []
    client = loop_client()
    await client.ready()
    return await client.post(messages)


def _accepted(answer: Answer) -> Answer:
    if isinstance(answer.reply, Refused):
        raise CommandRefused(answer.reply.code, answer.reply.detail)
    return answer
