"""An environment of its own for each real client, made when it is first wanted and then kept.

Its folder is named after the pins, so that new pins make a new one; it stands below `.venv`, which
`make clean` removes.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from filelock import FileLock

from exchange_site.supervisor.parts import PROJECT

REQUIREMENTS: Final = Path(__file__).parent / "requirements"
ENVIRONMENTS: Final = PROJECT / ".venv" / "clients"
INSTALL_WITHIN_S: Final = 600


def python_of(client: str) -> Path:
    """The interpreter of the environment that holds `requirements/<client>.txt`."""
    requirements = REQUIREMENTS / f"{client}.txt"
    pins = f"{sys.version_info[:2]}\n{requirements.read_text()}"
    folder = ENVIRONMENTS / f"{client}-{hashlib.sha256(pins.encode()).hexdigest()[:12]}"
    ENVIRONMENTS.mkdir(exist_ok=True)
    with FileLock(ENVIRONMENTS / f"{client}.lock"):
        if not (folder / "complete").exists():
            _install(folder, requirements)
    return folder / "bin" / "python"


def _install(folder: Path, requirements: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--no-deps", "--requirement", str(requirements))
    _run(*pip, "check")
    (folder / "complete").touch()


def _run(*arguments: str) -> None:
    done = subprocess.run(
        arguments, capture_output=True, text=True, check=False, timeout=INSTALL_WITHIN_S
    )
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}{done.stderr}"
