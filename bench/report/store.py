"""The newest run of each bench, kept in `bench/results/`, from which the report is made."""

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

RESULTS: Final = Path(__file__).resolve().parent.parent / "results"


class BenchRun(msgspec.Struct):
    """One run of one bench, with all it yielded."""

    bench: str
    commit: str
    machine: str
    began: str = msgspec.field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M UTC}")
    seconds: float = 0.0
    results: list[dict[str, Any]] = []
    failure: str = ""


def keep(run: BenchRun) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{run.bench}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")


def kept_runs(order: Iterable[str]) -> list[BenchRun]:
    """In the order of the benches' names given; those that never ran are left out."""
    paths = (RESULTS / f"{name}.json" for name in order)
    return [
        msgspec.json.decode(path.read_bytes(), type=BenchRun) for path in paths if path.exists()
    ]


def this_commit() -> str:
    """With a `+` where the tree differs from it; empty outside of a repository."""
    described = ["git", "describe", "--always", "--dirty=+", "--exclude", "*"]
    try:
        asked = subprocess.run(
            described, cwd=RESULTS.parent, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return asked.stdout.strip()


def this_machine() -> str:
    with open("/proc/cpuinfo") as lines:
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.machine()
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{os.cpu_count()} cores ({processor}), {memory_gb:.0f} GB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
