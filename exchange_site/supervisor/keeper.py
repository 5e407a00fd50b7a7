"""Keep a part running until it is told to stop."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from exchange_site.part import Part
from exchange_site.supervisor.backoff import Backoff
from exchange_site.supervisor.log import PartLog
from exchange_site.supervisor.process import PartProcess, describe_exit

Say = Callable[[str], None]


class Keeper:
    """Runs one part, and again whenever it dies. Its output goes to `<logs>/<name>.log`."""

    def __init__(self, part: Part, logs: Path, say: Say) -> None:
        self.part = part
        self.log = PartLog(logs / f"{part.name}.log")
        self._say = say
        self._process: PartProcess | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=self.part.name)

    async def stop(self) -> None:
        """Returns once nothing is left of it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._process is not None:
            await self._process.stop()
        self.log.close()

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            started = time.monotonic()
            end, killed = await self._run_once()
            delay = backoff.delay_after(time.monotonic() - started, killed=killed)
            self._say(
                f"{self.part.name} died ({end}); starting it again in {delay:g} s, "
                f"see {self.log.path}"
            )
            await asyncio.sleep(delay)

    async def _run_once(self) -> tuple[str, bool]:
        """How it ended, in words, and whether it was killed."""
        try:
            self._process = await PartProcess.start(self.part, self.log.write)
        except OSError as error:
            return str(error), False
        code = await self._process.wait()
        self._process = None
        return describe_exit(code), code == -signal.SIGKILL
