"""Whole exchanges for the benches, in folders of their own."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.load.plan import User
from exchange_site.tests.running import RunningExchange

FUNDS = {"BTC": "1000000", "ETH": "1000000"}


@contextmanager
def running_exchange(
    *, demo: bool = False, variables: Mapping[str, str] | None = None
) -> Iterator[RunningExchange]:
    """A fresh one, ready; `demo` with the demo's users and market maker."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)  # root's PostgreSQL runs as nobody, who must get through
        exchange = RunningExchange(Path(folder) / "home", demo=demo, variables=variables)
        exchange.start(while_running=os.getpid())
        try:
            yield exchange
        finally:
            exchange.stop()


def rich_users(exchange: RunningExchange, name: str = "bench") -> list[User]:
    """Two new ones, who trade by API keys that are not counted."""
    made = [exchange.create_user(f"{name}{number}", fund=FUNDS) for number in range(2)]
    return [User(each["api_key"], each["secret_key"]) for each in made]
