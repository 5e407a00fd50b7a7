"""Build the compiled core: `make compile`. See `engine/compiled.py`."""

import shutil
import subprocess
import sys
from pathlib import Path

from engine.compiled import CORE, MODULES, build_folder


def compile_core() -> Path:
    """Build, and drop the builds of other sources. Raises CalledProcessError where that fails."""
    folder = build_folder()
    if folder.exists():
        return folder
    shutil.rmtree(folder.parent, ignore_errors=True)
    scratch = folder.with_suffix(".building")
    package = scratch / "engine" / "core"
    package.mkdir(parents=True)
    for path in CORE.glob("*.py"):
        shutil.copy(path, package)
    (package.parent / "__init__.py").touch()
    files = [f"engine/core/{name}.py" for name in MODULES]
    subprocess.run(
        [sys.executable, "-m", "mypyc", "--config-file=", *files],
        cwd=scratch,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for path in [*package.glob("*.py"), package.parent / "__init__.py"]:
        path.unlink()
    shutil.rmtree(scratch / "build")
    shutil.rmtree(scratch / ".mypy_cache")
    scratch.rename(folder)
    return folder


def main() -> None:
    try:
        print(f"compiled core: {compile_core()}")
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(f"the core stays uncompiled, which works as well: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
