"""Build the compiled core: `make compile`. See `engine/compiled.py`."""

import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from engine.compiled import ENGINE, MODULES, build_folder, sources


def compile_core() -> Path:
    """Build, and drop the builds of other sources. Raises CalledProcessError where that fails."""
    folder = build_folder()
    if folder.exists():
        return folder
    for other in folder.parent.glob("*"):
        if "." not in other.name:  # not somebody's scratch
            shutil.rmtree(other, ignore_errors=True)
    scratch = folder.with_suffix(f".{os.getpid()}")
    package = scratch / "engine"
    for path in sources():
        copy = package / path.relative_to(ENGINE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (package / "__init__.py").touch()
    files = [f"engine/{name}" for name in MODULES]
    subprocess.run(
        [sys.executable, "-m", "mypyc", "--config-file=", "--ignore-missing-imports", *files],
        cwd=scratch,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for path in package.rglob("*.py"):
        path.unlink()
    shutil.rmtree(scratch / "build")
    shutil.rmtree(scratch / ".mypy_cache")
    with suppress(OSError):  # somebody else was quicker, with the same result
        scratch.rename(folder)
    shutil.rmtree(scratch, ignore_errors=True)
    return folder


def main() -> int:
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        print(f"no C compiler ({compiler}): the core runs uncompiled, at about half the speed")
        return 1
    try:
        print(f"compiled core: {compile_core()}")
    except subprocess.CalledProcessError as error:
        print(f"the core stays uncompiled, which works as well: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
