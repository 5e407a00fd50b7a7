"""Which programs make an exchange, and how they begin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange_site.part import Part
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


_TELL = """
import os, pathlib
group = pathlib.Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "none")
"""


def test_a_nice_part_stands_back() -> None:
    """By itself, and as a session where Linux weighs those."""
    part = Part("nice", (sys.executable, "-c", _TELL), niceness=15)
    told = subprocess.run(part.argv, **part.popen_options(), capture_output=True, check=True)
    own, group = told.stdout.decode().split()
    assert int(own) == min(os.nice(0) + 15, 19)
    assert group in ("15", "none")
