"""An environment of its own for each real client, made when it is first wanted and then kept.

Its folder is named after the pins, so that new pins make a new one; it stands below `.venv`, which
`make clean` removes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from filelock import FileLock

from exchange_site.supervisor.parts import PROJECT

HERE: Final = Path(__file__).parent
LIVES: Final = HERE / "lives"
ENVIRONMENTS: Final = (PROJECT / ".venv").resolve() / "clients"
"""Resolved, for programs in an environment name it by its address."""

INSTALL_WITHIN_S: Final = 600
LIVE_WITHIN_S: Final = 120


def python_of(client: str) -> Path:
    """The interpreter of the environment that holds `requirements/<client>.txt`."""
    requirements = HERE / "requirements" / f"{client}.txt"

    def install(folder: Path) -> None:
        run(sys.executable, "-m", "venv", str(folder))
        pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
        run(*pip, "install", "--quiet", "--no-deps", "--requirement", str(requirements))
        run(*pip, "check")

    pins = f"{sys.version_info[:2]} {requirements.read_text()}"
    return _environment(client, pins, install) / "bin" / "python"


def node() -> list[str]:
    """How to run Node: the one that is installed, else one from a wheel."""
    found = shutil.which("node")
    return [found] if found else [str(python_of("node").with_name("node"))]


def node_modules() -> Path:
    """The folder whose `node_modules` hold what `node/package-lock.json` pins."""
    files = [HERE / "node" / name for name in ("package.json", "package-lock.json")]

    def install(folder: Path) -> None:
        folder.mkdir()
        for file in files:
            shutil.copy(file, folder)
        npm = shutil.which("npm") or str(python_of("node").with_name("npm"))
        path = os.pathsep.join([str(Path(node()[0]).parent), os.environ.get("PATH", "")])
        options = ("--ignore-scripts", "--no-audit", "--no-fund")
        run(npm, "ci", *options, cwd=folder, environment={"PATH": path})

    return _environment("node-modules", "".join(file.read_text() for file in files), install)


def live(*arguments: str) -> None:
    """Run a client's life to its end; it says for itself what went wrong."""
    run(*arguments, timeout_s=LIVE_WITHIN_S)


def run(
    *arguments: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = INSTALL_WITHIN_S,
) -> None:
    done = subprocess.run(
        arguments,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    said = done.stdout[-2_000:] + done.stderr[-4_000:]
    assert done.returncode == 0, f"{' '.join(arguments[:2])}\n{said}"


def _environment(name: str, pins: str, install: Callable[[Path], None]) -> Path:
    """The folder of these pins. One that was not installed to the end is made again."""
    folder = ENVIRONMENTS / f"{name}-{hashlib.sha256(pins.encode()).hexdigest()[:12]}"
    ENVIRONMENTS.mkdir(exist_ok=True)
    with FileLock(ENVIRONMENTS / f"{name}.lock"):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            (folder / "complete").touch()
    return folder
