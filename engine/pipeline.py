"""Many commands in order, without waiting for each: a bounded window of unanswered ones.

The engine answers in the order of its queue, so waiting for the oldest is enough.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final, NamedTuple

from engine.client import MAX_LIST, Answer, EngineClient, StatusUnknown
from engine.core.commands import Command
from engine.core.replies import Reply

MAX_IN_FLIGHT: Final = 2_000


class Answered(NamedTuple):
    command: Command
    reply: Reply


class PipelineBroken(Exception):
    """An earlier command failed: who went on would build on a state that nobody knows."""


class Pipeline:
    """For one thread. Nothing is ever pushed twice, and after a failure nothing is pushed at all.

    Its methods raise EngineUnavailable or StatusUnknown, once; then PipelineBroken.
    """

    def __init__(
        self, client: EngineClient, *, max_in_flight: int = MAX_IN_FLIGHT, timeout: float = 5.0
    ) -> None:
        """`timeout`: seconds to wait for any one answer."""
        self._client = client
        self._max_in_flight = max_in_flight
        self._list_length = min(MAX_LIST, max_in_flight)
        self._timeout = timeout
        self._in_flight: deque[tuple[Command, Future[Answer]]] = deque()
        self._broken = False

    def send(self, commands: Sequence[Command]) -> list[Answered]:
        """Push them in order. Returns answers of earlier ones, where room had to be made."""
        answered: list[Answered] = []
        for start in range(0, len(commands), self._list_length):
            some = commands[start : start + self._list_length]
            answered += self._wait_until_unanswered(self._max_in_flight - len(some))
            self._push(some)
        return answered

    def drain(self) -> list[Answered]:
        """Wait for all that is unanswered."""
        return self._wait_until_unanswered(0)

    def _push(self, commands: Sequence[Command]) -> None:
        self._check()
        try:
            futures = self._client.send_all(commands)
        except BaseException:
            self._break()
            raise
        self._in_flight.extend(zip(commands, futures, strict=True))

    def _wait_until_unanswered(self, most: int) -> list[Answered]:
        self._check()
        answered = []
        try:
            while len(self._in_flight) > most:
                command, future = self._in_flight[0]
                answered.append(Answered(command, future.result(self._timeout).reply))
                self._in_flight.popleft()
        except FutureTimeoutError as error:
            self._break()
            raise StatusUnknown("no answer in time") from error
        except BaseException:
            self._break()
            raise
        return answered

    def _check(self) -> None:
        if self._broken:
            raise PipelineBroken

    def _break(self) -> None:
        self._broken = True
        for _, future in self._in_flight:
            future.cancel()
        self._in_flight.clear()
