"""A whole exchange, started as its users start it, for the tests that go through the front door."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from exchange_site.servers.addresses import OWNER_ROLE, embedded_database_url, engine_socket
from exchange_site.servers.home import ExchangeHome
from exchange_site.supervisor.parts import PROJECT
from exchange_site.tests.processes import PATIENCE_S, wait_until

# All tests call from one address.
_LIMITS = {"REQUESTS_PER_MINUTE_ADDRESS": "1000000"}

_OFFICE = """
import importlib, io, json, sys
import django
django.setup()
from django.core.management import call_command
for line in sys.stdin:
    service, arguments = json.loads(line)
    if service is None:
        out = io.StringIO()
        call_command("create_api_key", *arguments, stdout=out)
        print(out.getvalue().strip(), flush=True)
    else:
        module, _, name = service.rpartition(".")
        print(json.dumps(getattr(importlib.import_module(module), name)(**arguments)), flush=True)
"""


def account_number(username: str) -> int:
    """For `RunningExchange.account_of`, in a process with Django."""
    from accounts.models import User

    return User.objects.get(username=username).pk


class RunningExchange:
    """`url` is its front door. Markets are the demo's, accounts those that tests create; `demo`
    adds the demo's own users and market maker, `variables` more of the environment."""

    def __init__(
        self, home: Path, *, demo: bool = False, variables: Mapping[str, str] | None = None
    ) -> None:
        self.home = ExchangeHome(home)
        self._demo = demo
        self._variables = dict(variables or {})
        self._port_file = home / "port"
        self._office: subprocess.Popen[str] | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port_file.read_text()}"

    @property
    def environment(self) -> dict[str, str]:
        """What its own processes see: nothing of the test run's settings."""
        hidden = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PORT")
        kept = {k: v for k, v in os.environ.items() if k not in hidden and "EXCHANGE_" not in k}
        demo = str(int(self._demo))
        home = str(self.home.path)
        return {**kept, "EXCHANGE_HOME": home, "DEMO": demo, **_LIMITS, **self._variables}

    @property
    def engine_redis_url(self) -> str:
        return f"unix://{engine_socket(self.home)}"

    @property
    def database_url(self) -> str:
        return embedded_database_url(self.home, role=OWNER_ROLE)

    def start(self, *, while_running: int) -> None:
        """Start it, and return when it is ready. It ends when that process does."""
        self.home.create()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port_file.write_text(str(free.getsockname()[1]))
        argv = ["-m", "exchange_site.supervisor", "--while-running", str(while_running)]
        with self._log() as output:
            process = subprocess.Popen(
                [sys.executable, *argv],
                env={**self.environment, "PORT": self._port_file.read_text()},
                cwd=PROJECT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        log = self.home.path / "exchange.log"
        wait_until(
            lambda: b"exchange ready" in log.read_bytes() or process.poll() is not None,
            "the exchange is ready",
            timeout_s=120.0,
        )
        assert process.poll() is None, log.read_text()
        self._supervisor = process

    @property
    def supervisor(self) -> int:
        """The process id of the exchange that this process started."""
        assert self._supervisor is not None
        return self._supervisor.pid

    def _log(self) -> IO[bytes]:
        return (self.home.path / "exchange.log").open("wb")

    def manage(self, *arguments: str) -> str:
        """What the management command prints."""
        answer = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def state(self) -> Any:
        return json.loads(self.manage("exchange_state"))

    def create_user(
        self,
        name: str,
        fund: dict[str, str] | None = None,
        scope: tuple[str, ...] = ("read", "trade"),
        tier: str = "maker",
    ) -> Any:
        """What `create_api_key` prints for a new user."""
        arguments = [name, "--create", "--tier", tier, "--scope", *scope]
        if fund:
            arguments += ["--fund", *(f"{asset}={amount}" for asset, amount in fund.items())]
        return self._ask_office(None, arguments)

    def operate(self, service: str, **arguments: object) -> Any:
        """Call a service as the admin does, such as "markets.administration.fees_set"; what it
        returns. The arguments must be JSON."""
        return self._ask_office(service, arguments)

    def account_of(self, username: str) -> int:
        account: int = self.operate(f"{__name__}.account_number", username=username)
        return account

    def define_market(self, symbol: str, **rules: object) -> None:
        """A market of the test's own, between assets of eight places. It waits for the tables."""
        defaults = {
            "base_scale": 8,
            "quote_scale": 8,
            "min_quantity": rules["step"],
            "max_quantity": "10000",
            "min_notional": "0",
            "band_down_ppm": 200_000,
            "band_up_ppm": 5_000_000,
            "maker_fee_ppm": 1_000,
            "taker_fee_ppm": 1_000,
        }
        sequence = self.operate(
            "markets.administration.market_define", symbol=symbol, **{**defaults, **rules}
        )
        self.wait_for_tables(sequence)

    def wait_for_tables(self, sequence: int, *, timeout_s: float = PATIENCE_S) -> None:
        """Until they hold the journal up to it. Asking the API for its outcome costs weight."""
        assert self.operate(
            "markets.selectors.wait_for_projection", sequence=sequence, timeout=timeout_s
        )

    def _ask_office(self, service: str | None, arguments: object) -> Any:
        office = self._running_office()
        assert office.stdin is not None
        assert office.stdout is not None
        office.stdin.write(json.dumps([service, arguments]) + "\n")
        office.stdin.flush()
        line = office.stdout.readline()
        assert line, "it failed: see the test's standard error"
        return json.loads(line)

    def _running_office(self) -> "subprocess.Popen[str]":
        """One process for all that is done so: starting Django takes a second."""
        if self._office is None or self._office.poll() is not None:
            self._office = subprocess.Popen(
                [sys.executable, "-c", _OFFICE],
                cwd=PROJECT,
                env={**self.environment, "DJANGO_SETTINGS_MODULE": "exchange_site.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._office

    def close(self) -> None:
        """End what this process started to talk to it; the exchange goes on."""
        if self._office is not None and self._office.stdin is not None:
            self._office.stdin.close()
            self._office.wait()
            self._office = None

    def stop(self) -> None:
        """End the exchange that this process started."""
        self.close()
        assert self._supervisor is not None
        self._supervisor.terminate()
        self._supervisor.wait(60)  # parts may take a while to end, and servers after them

    def process_of(self, word: str) -> int:
        """The process id of the part whose command line holds `word`, as soon as it runs."""
        return wait_until(lambda: self.find_process(word), f"{word} runs")

    def find_process(self, word: str) -> int | None:
        """The same; None while there is none."""
        mark = f"EXCHANGE_HOME={self.home.path}\0".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (
                    word.encode() in (folder / "cmdline").read_bytes().split(b"\0")
                    and mark in (folder / "environ").read_bytes()
                ):
                    return int(folder.name)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return None

    def database_processes(self) -> list[int]:
        """PostgreSQL and all that serve its connections."""
        folder = (self.home.data / "postgres").resolve()
        server = int((folder / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        return [server, *map(int, children)]
