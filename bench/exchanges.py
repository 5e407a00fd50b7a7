"""Whole exchanges for the benches, in folders of their own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange_site.tests.running import RunningExchange


@contextmanager
def running_exchange(*, demo: bool = False) -> Iterator[RunningExchange]:
    """A fresh one, ready; `demo` with the demo's users and market maker."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)  # root's PostgreSQL runs as nobody, who must get through
        exchange = RunningExchange(Path(folder) / "home", demo=demo)
        exchange.start(while_running=os.getpid())
        try:
            yield exchange
        finally:
            exchange.stop()
