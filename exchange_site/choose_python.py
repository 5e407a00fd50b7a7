"""Which interpreter `make` builds its environment with: prints its path.

The first `python3` on PATH that is new enough; unless another one there is much quicker, as
interpreters differ by half, with how they were built: pyenv's by default leaves out what
distributions do (profile-guided optimization). Runs on any Python from 3.7 on, without packages.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import time
from typing import Any

OLDEST = (3, 11)
NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
MUCH_QUICKER = 1.2
ROUNDS = 7


class Point:
    def __init__(self, price: int, quantity: str) -> None:
        self.price = price
        self.quantity = quantity


def work() -> None:
    points: dict[int, tuple[int, str]] = {}
    for number in range(20_000):
        point = Point(number, str(number))
        points[number & 1023] = (point.price + 1, point.quantity)


def seconds() -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def tell() -> None:
    """What this interpreter says of itself."""
    include = sysconfig.get_paths()["include"]
    print(
        json.dumps(
            {
                "path": sys.executable,
                "version": list(sys.version_info[:2]),
                # Debian has both in packages of their own.
                "makes_environments": importlib.util.find_spec("ensurepip") is not None,
                "compiles": os.path.exists(os.path.join(include, "Python.h")),
                "seconds": min(seconds() for _ in range(ROUNDS)),
            }
        )
    )


def ask(program: str) -> dict[str, Any] | None:
    """What the interpreter says; None where there is none, or one of no use."""
    try:
        told = subprocess.run(
            [program, "-I", __file__, "--tell"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=30,
        )
        found: dict[str, Any] = json.loads(told.stdout.decode())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    useful = tuple(found["version"]) >= OLDEST and found["makes_environments"]
    return found if useful else None


def choose(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The first, or one that is much quicker. The core is to be compiled, if any can do it."""
    able = [one for one in found if one["compiles"]] or found
    first, quickest = able[0], min(able, key=lambda one: one["seconds"])
    return quickest if first["seconds"] > MUCH_QUICKER * quickest["seconds"] else first


def main() -> None:
    found: dict[str, dict[str, Any]] = {}
    for folder in os.get_exec_path():
        for name in NAMES:
            one = ask(os.path.join(folder, name))
            if one is not None:
                found.setdefault(os.path.realpath(one["path"]), one)
    if not found:
        sys.exit("Python 3.11 or newer is needed, with its venv (Debian: python3-venv).")
    print(choose(list(found.values()))["path"])


if __name__ == "__main__":
    tell() if "--tell" in sys.argv else main()
