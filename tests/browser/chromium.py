"""A Chromium for the tests: one that is installed, driven by playwright."""

import os
import shutil
from pathlib import Path
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")

ARGUMENTS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """`BROWSER_PATH`, or a browser on PATH; None where there is none."""
    return os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, NAMES)), None)


def arguments() -> list[str]:
    # Chromium's sandbox refuses root.
    return [*ARGUMENTS, *(["--no-sandbox"] if os.getuid() == 0 else [])]


def playwrights_own() -> str | None:
    """What `playwright install chromium` downloaded."""
    cache = Path.home() / ".cache" / "ms-playwright"
    found = sorted(cache.glob("chromium-*/chrome-linux*/chrome"))
    return str(found[-1]) if found else None
