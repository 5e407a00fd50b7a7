"""Which interpreter a new environment is made with."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exchange_site.choose_python import choose

SCRIPT = Path(__file__).resolve().parents[1] / "choose_python.py"


def interpreter(name: str, seconds: float, *, compiles: bool = True) -> dict[str, Any]:
    return {"path": name, "seconds": seconds, "compiles": compiles}


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([interpreter("first", 1.0)], "first"),
        ([interpreter("first", 1.0), interpreter("little quicker", 0.9)], "first"),
        ([interpreter("first", 1.0), interpreter("much quicker", 0.5)], "much quicker"),
        ([interpreter("quick", 0.5, compiles=False), interpreter("able", 1.0)], "able"),
        ([interpreter("only", 1.0, compiles=False)], "only"),
    ],
)
def test_the_first_unless_another_is_much_better(found: list[dict[str, Any]], chosen: str) -> None:
    assert choose(found)["path"] == chosen


def test_an_interpreter_of_this_machine_is_chosen() -> None:
    chosen = subprocess.run(
        [sys.executable, SCRIPT], stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    told = subprocess.run(
        [chosen.strip(), "-c", "import sys; print(sys.version_info >= (3, 11))"],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert told.stdout == b"True\n"
