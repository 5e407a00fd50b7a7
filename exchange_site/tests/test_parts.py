"""Which programs make an exchange."""

from pathlib import Path

import pytest

from exchange_site.servers.home import ExchangeHome
from exchange_site.supervisor.parts import exchange_parts


@pytest.mark.parametrize(
    ("environ", "engines"),
    [
        ({}, {"engine": ()}),
        ({"STANDBY": "0"}, {"engine": ()}),
        ({"STANDBY": "1"}, {"engine": ("--standby",), "standby": ("--standby",)}),
    ],
)
def test_engines(environ: dict[str, str], engines: dict[str, tuple[str, ...]]) -> None:
    """With a standby either of the two may lead, so both follow."""
    parts = exchange_parts(ExchangeHome(Path("/nowhere")), environ).parts
    found = {
        part.name: part.argv[part.argv.index("run_engine") + 1 :]
        for part in parts
        if "run_engine" in part.argv
    }
    assert found == engines
