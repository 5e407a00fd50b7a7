"""What the worker does about messages on which an engine failed: see `engine/dead_letters.py`."""

import traceback
from collections.abc import Mapping, Sequence

from engine.dead_letters import (
    MAX_FAILURES,
    MAX_REPORT,
    WHOLE_BATCH,
    DeadLetter,
    Failure,
    Verdict,
    name_of,
)


class CommandFailed(Exception):
    """The engine failed while it applied commands: a bug. Nothing of the batch was written."""


class Suspects:
    """Those that the engine's predecessors left; while there are some, messages go one by one."""

    def __init__(self, failures: Mapping[str, Failure], patience: int) -> None:
        """`patience`: all suspects stand among that many messages at the head of the queue."""
        self._failures = dict(failures)
        self._patience = patience

    def __bool__(self) -> bool:
        return bool(self._failures)

    def condemned(self, message: bytes) -> str | None:
        """The name of a message that is not to be applied again; None for all others."""
        name = name_of(message)
        failure = self._failures.get(name)
        return name if failure is not None and failure.count >= MAX_FAILURES else None

    def accuse(self, message: bytes | None, error: Exception) -> tuple[str, Failure]:
        """What to note of an exception; without a message, of the whole batch."""
        name = WHOLE_BATCH if message is None else name_of(message)
        known = self._failures.get(name)
        report = "".join(traceback.format_exception(error))[-MAX_REPORT:]
        return name, Failure(1 if known is None else known.count + 1, report)

    def settle(self, messages: Sequence[bytes], sequence: int, time: int) -> Verdict | None:
        """The verdict on messages that went well, or were condemned. With an empty queue, or when
        so many went by that the suspects cannot be behind them, it clears the rest."""
        if not self._failures:
            return None
        self._patience -= len(messages)
        dead_letter = None
        settled = []
        for message in messages:
            name = name_of(message)
            failure = self._failures.pop(name, None)
            if failure is None:
                continue
            settled.append(name)
            if failure.count >= MAX_FAILURES:
                text = message.decode(errors="replace")
                dead_letter = DeadLetter(sequence, time, name, text, failure.count, failure.report)
        if not messages or self._patience <= 0:
            settled += self._failures
            self._failures.clear()
        return Verdict(settled, dead_letter) if settled else None
