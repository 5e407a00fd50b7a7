"""One run of a part: from its start until nothing is left of it."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from exchange_site.part import Part

CHUNK_BYTES = 65_536
Output = Callable[[bytes], None]


class PartProcess:
    """A running part. `await PartProcess.start(...)`, then `wait` for its end or `stop` it."""

    def __init__(self, part: Part, process: Process, reader: int, output: Output) -> None:
        self.part = part
        self.pid = process.pid
        self._process = process
        self._reader = reader
        self._output = output
        asyncio.get_running_loop().add_reader(reader, self._pass_on_output)

    @classmethod
    async def start(cls, part: Part, output: Output) -> Self:
        """Raises OSError where the program cannot be started."""
        # A pipe of our own: asyncio's would keep `wait` waiting for every grandchild that holds it.
        reader, writer = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *part.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                **part.popen_options(),
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        os.set_blocking(reader, False)
        return cls(part, process, reader, output)

    async def wait(self) -> int:
        """Its exit code (negative: the signal that ended it), once its whole session is gone."""
        code = await self._process.wait()
        self._signal_all(signal.SIGKILL)
        self._close_output()
        return code

    async def stop(self) -> int:
        """Ask it to stop; kill it where it does not in time."""
        with suppress(ProcessLookupError):
            self._process.send_signal(self.part.stop_signal)
        with suppress(TimeoutError):
            return await asyncio.wait_for(self.wait(), self.part.stop_seconds)
        self._signal_all(signal.SIGKILL)
        return await self.wait()

    def _signal_all(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _pass_on_output(self) -> None:
        with suppress(BlockingIOError):
            chunk = os.read(self._reader, CHUNK_BYTES)
            if chunk:
                self._output(chunk)
            else:
                self._close_output()

    def _close_output(self) -> None:
        if self._reader < 0:
            return
        asyncio.get_running_loop().remove_reader(self._reader)
        # What it wrote last, which the loop may not have come to.
        with suppress(BlockingIOError):
            while chunk := os.read(self._reader, CHUNK_BYTES):
                self._output(chunk)
        os.close(self._reader)
        self._reader = -1


def describe_exit(code: int) -> str:
    """`exit code 1`, or `SIGKILL`."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
