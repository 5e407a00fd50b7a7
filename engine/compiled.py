"""The core compiled to machine code, for the engine process, where a C compiler is at hand.

mypyc compiles the very files of `engine/core` that hold its logic, and the worker's batch that
calls it, unchanged, which makes them about twice as fast. Nothing depends on it: the build lies
outside the source tree under the hash of the files it was made from, and is used only by a process
that asks for it with `EXCHANGE_COMPILED_CORE=1` and whose sources still have that hash. An edited
core runs as it stands, uncompiled, until `make compile` is called again.
"""

import os
import sys
import sysconfig
from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

ENGINE: Final = Path(__file__).resolve().parent
PACKAGES: Final = ("core", "worker")

_OF_THE_CORE: Final = (
    "account_rules",
    "accounts",
    "auctions",
    "deadlines",
    "engine",
    "funds",
    "liquidity",
    "market_checks",
    "markets",
    "mass_cancel",
    "matching",
    "open_orders",
    "order",
    "order_book",
    "order_checks",
    "order_lists",
    "orders",
    "phases",
    "price_guard",
    "settlement",
    "trigger_queue",
    "triggers",
    "types",
)

MODULES: Final = (*(f"core/{name}.py" for name in _OF_THE_CORE), "worker/batch.py")
"""Where the time goes. The messages are msgspec's C structs already."""

_READ_TOO: Final = ("journal.py", "wire.py", "worker/__init__.py", "worker/batch.py")
"""By the compiler, for the types, beside all of the core."""


def sources() -> list[Path]:
    """All that goes into a build."""
    return sorted([*ENGINE.glob("core/*.py"), *map(ENGINE.joinpath, _READ_TOO)])


def build_folder() -> Path:
    """Where the compiled form of exactly these sources, for exactly this Python, belongs."""
    content = sha256(f"{sysconfig.get_config_var('SOABI')} {MODULES}".encode())
    for path in sources():
        content.update(str(path.relative_to(ENGINE)).encode() + b"\0" + path.read_bytes())
    return Path(sys.prefix) / "compiled-core" / content.hexdigest()[:16]


class CompiledCore(MetaPathFinder):
    """Finds modules of these packages in the build first, then in the source tree."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        package = fullname.removeprefix("engine.")
        if package in PACKAGES:
            spec = PathFinder.find_spec(fullname, [str(ENGINE)])
            if spec is not None and spec.submodule_search_locations is not None:
                spec.submodule_search_locations.insert(0, str(self._folder / "engine" / package))
            return spec
        if fullname.endswith("__mypyc"):  # the library that all compiled modules share
            return PathFinder.find_spec(fullname, [str(self._folder)])
        return None


def prefer_compiled_core() -> bool:
    """Use the compiled core in this process, if it is asked for and there is one."""
    if os.environ.get("EXCHANGE_COMPILED_CORE") != "1":
        return False
    folder = build_folder()
    if not folder.exists():
        return False
    sys.meta_path.insert(0, CompiledCore(folder))
    return True


def is_compiled() -> bool:
    """Does this process run the compiled core?"""
    return str(import_module("engine.core.engine").__file__).endswith(".so")
