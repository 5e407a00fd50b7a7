"""Which programs make an exchange, and how they begin."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exchange_site.part import SCHED_SETATTR, Part
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


def test_web_processes_have_ports_of_their_own() -> None:
    environ = {"PORT": "9000", "WEB_PROCESSES": "3"}
    parts = exchange_parts(ExchangeHome(Path("/nowhere")), environ).parts
    found = {
        part.name: part.argv[part.argv.index("--port") + 1]
        for part in parts
        if "--port" in part.argv
    }
    assert found == {"web": "9000", "web-2": "9001", "web-3": "9002"}


def has_turns_of_choice() -> bool:
    if sys.platform != "linux" or platform.machine() not in SCHED_SETATTR:
        return False
    version = tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])
    return version >= (6, 12)


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


_TELL_TURN = """
import ctypes, platform, struct
attributes = ctypes.create_string_buffer(48)
number = {"x86_64": 315, "aarch64": 275}[platform.machine()]
assert ctypes.CDLL(None).syscall(number, 0, attributes, 48, 0) == 0
_, policy, _, niceness, _, turn_ns, _, _ = struct.unpack("=IIQiIQQQ", attributes.raw)
print(policy, niceness, turn_ns)
"""


@pytest.mark.skipif(
    not has_turns_of_choice(), reason="Linux lets programs choose since 6.12, on these machines"
)
@pytest.mark.parametrize("niceness", [0, 3])
def test_short_turns_are_asked_for_and_nothing_else(niceness: int) -> None:
    part = Part("quick", (sys.executable, "-c", _TELL_TURN), niceness=niceness, short_turns=True)
    told = subprocess.run(part.argv, **part.popen_options(), capture_output=True, check=True)
    own = min(os.nice(0) + niceness, 19)
    assert told.stdout.decode().split() == [str(os.SCHED_OTHER), str(own), "200000"]


def test_the_way_of_an_order_has_short_turns() -> None:
    parts = exchange_parts(ExchangeHome(Path("/nowhere")), {}).parts
    assert {part.name for part in parts if part.short_turns} == {"engine", "publisher", "web"}
