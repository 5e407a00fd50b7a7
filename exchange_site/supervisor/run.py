"""Run a plan in the foreground until somebody ends it."""

import asyncio
import os
import signal
from contextlib import suppress

from exchange_site.supervisor.lock import AlreadyRunning
from exchange_site.supervisor.supervisor import Plan, StartFailed, Supervisor, say

PARENT_POLL_S = 1.0


def run(plan: Plan, *, while_running: int | None = None) -> int:
    """The exit code. Ends on SIGINT, SIGTERM, SIGHUP, and when process `while_running` does."""
    return asyncio.run(_run(plan, while_running))


async def _run(plan: Plan, while_running: int | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    watching = asyncio.create_task(_stop_without(while_running, stop))
    supervisor = Supervisor(plan)
    starting = asyncio.create_task(supervisor.start())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await stopping
    except (StartFailed, AlreadyRunning) as error:
        say(f"error: {error}")
        return 1
    finally:
        for task in (starting, watching, stopping):
            task.cancel()
        await asyncio.gather(starting, watching, stopping, return_exceptions=True)
        say("stopping")
        await supervisor.stop()
    return 0


async def _stop_without(pid: int | None, stop: asyncio.Event) -> None:
    """A process that was killed cannot pass the signal on: notice that it is gone."""
    if pid is None:
        return
    with suppress(ProcessLookupError):
        if hasattr(os, "pidfd_open"):
            descriptor = os.pidfd_open(pid)
            gone = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(descriptor, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        else:
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(PARENT_POLL_S)
    stop.set()
