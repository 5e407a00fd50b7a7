"""Start everything in order, keep it running, stop the parts and then the servers."""

import asyncio
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from exchange_site.part import Part
from exchange_site.servers.checks import Finding
from exchange_site.servers.embedded import EmbeddedServer, prepare_server
from exchange_site.servers.home import ExchangeHome
from exchange_site.supervisor.keeper import Keeper
from exchange_site.supervisor.lock import HomeLock
from exchange_site.supervisor.log import PartLog
from exchange_site.supervisor.process import PartProcess, describe_exit

SERVER_START_S = 60.0
POLL_S = 0.02
HEALTH_POLL_S = 0.2
REMIND_S = 15.0
ATTEMPTS = 6

Health = Callable[[], tuple[int, str]]


class StartFailed(Exception):
    """The exchange cannot run like this; the message says what to change."""


@dataclass(frozen=True)
class Plan:
    """What to run, as data. `setup` and `afterwards` run to their end, the rest is kept running."""

    home: ExchangeHome
    servers: Sequence[EmbeddedServer] = ()
    check: Callable[[], list[Finding]] = list
    setup: Sequence[Part] = ()
    parts: Sequence[Part] = ()
    afterwards: Sequence[Part] = ()
    port: int | None = None
    """Must be free before the parts start."""
    health: Health | None = None
    """Answers 200 once the exchange is ready; None: nothing to wait for."""
    ready: str = "ready"


def say(message: str) -> None:
    print(message, flush=True)


@dataclass
class Supervisor:
    """`start`, then leave it alone, then `stop`. `stop` is right at any moment."""

    plan: Plan
    _lock: HomeLock | None = None
    _servers: list[Keeper] = field(default_factory=list)
    _parts: list[Keeper] = field(default_factory=list)

    async def start(self) -> None:
        """Raises StartFailed or AlreadyRunning."""
        # 1. The home is ours alone, and the port is free.
        self.plan.home.create()
        self._lock = HomeLock(self.plan.home.lock)
        self._require_port()
        # 2. The servers that no variable points elsewhere.
        for server in self.plan.servers:
            await self._start_server(server)
        # 3. All servers promise what the exchange builds on.
        self._check_servers()
        # 4. Tables and static files.
        setup = [self._run_to_end(part) for part in self.plan.setup]
        for problem in await asyncio.gather(*setup, return_exceptions=True):
            if problem is not None:
                raise problem
        # 5. The parts.
        for part in self.plan.parts:
            self._keep(part, self._parts)
        # 6. What needs running parts: markets and demo users are made by commands to the engine.
        for part in self.plan.afterwards:
            await self._run_to_end(part, attempts=ATTEMPTS, show=True)
        # 7. Everything answers.
        await self._await_health()
        say(self.plan.ready)

    async def stop(self) -> None:
        """Stop what was started, the servers last. Afterwards nothing of it is left."""
        for keepers in (self._parts, self._servers):
            await asyncio.gather(*(keeper.stop() for keeper in keepers))
            keepers.clear()
        if self._lock is not None:
            if self.plan.servers:
                self.plan.home.remove_sockets()
            self._lock.release()
            self._lock = None

    def _keep(self, part: Part, keepers: list[Keeper]) -> Keeper:
        keeper = Keeper(part, self.plan.home.logs, say)
        keepers.append(keeper)
        keeper.start()
        return keeper

    def _require_port(self) -> None:
        if self.plan.port is None:
            return
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.plan.port))
            except OSError as error:
                raise StartFailed(
                    f"port {self.plan.port} cannot be used ({error.strerror}). "
                    "Choose another: PORT=8001 make run"
                ) from None

    async def _start_server(self, server: EmbeddedServer) -> None:
        say(f"starting {server.name}")
        prepare_server(self.plan.home, server)
        if server.is_ready():
            raise StartFailed(
                f"a {server.name} of an earlier start is still running in {self.plan.home.path}."
            )
        keeper = self._keep(server.part(), self._servers)
        deadline = time.monotonic() + SERVER_START_S
        while not server.is_ready():
            if time.monotonic() > deadline:
                raise StartFailed(f"{server.name} does not answer:\n{keeper.log.tail()}")
            await asyncio.sleep(POLL_S)
        server.finish()

    def _check_servers(self) -> None:
        findings = self.plan.check()
        for finding in findings:
            if finding.level == "warning":
                say(f"warning: {finding}")
        errors = [str(finding) for finding in findings if finding.level == "error"]
        if errors:
            raise StartFailed("\n".join(errors))

    async def _run_to_end(self, part: Part, *, attempts: int = 1, show: bool = False) -> None:
        """Run it until it succeeds; `show` passes its standard output and errors on."""
        log = PartLog(self.plan.home.logs / f"{part.name}.log")
        try:
            for attempt in range(1, attempts + 1):
                output = bytearray()

                def keep(chunk: bytes, output: bytearray = output) -> None:
                    log.write(chunk)
                    output += chunk

                code = await self._run_once(part, keep)
                if code == 0:
                    if show:
                        sys.stdout.write(output.decode(errors="replace"))
                        sys.stdout.flush()
                    return
                if attempt < attempts:
                    # The parts it talks to are perhaps not up yet.
                    await asyncio.sleep(0.25 * 2**attempt)
            raise StartFailed(f"{part.name} failed ({describe_exit(code)}):\n{log.tail()}")
        finally:
            log.close()

    async def _run_once(self, part: Part, output: Callable[[bytes], None]) -> int:
        process = await PartProcess.start(part, output)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            await process.stop()
            raise

    async def _await_health(self) -> None:
        if self.plan.health is None:
            return
        remind = time.monotonic() + REMIND_S
        while True:
            status, body = await asyncio.to_thread(self.plan.health)
            if status == 200:
                return
            if time.monotonic() > remind:
                say(f"still waiting for /health ({status}): {body[:500]}")
                remind = time.monotonic() + REMIND_S
            await asyncio.sleep(HEALTH_POLL_S)
