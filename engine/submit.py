"""Hand a command to the engine and treat a refusal as what it is to a caller: an error."""

from engine.client import Answer, engine_client
from engine.core.commands import Command
from engine.core.queries import Query
from engine.core.rejections import Code
from engine.core.replies import Refused


class CommandRefused(Exception):
    """The engine refused: the command changed nothing, or there is no answer to the query."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def submit(message: Command | Query, *, timeout: float = 5.0) -> Answer:
    """The engine's answer. Raises CommandRefused, EngineUnavailable or StatusUnknown."""
    answer = engine_client().call(message, timeout=timeout)
    if isinstance(answer.reply, Refused):
        raise CommandRefused(answer.reply.code, answer.reply.detail)
    return answer
