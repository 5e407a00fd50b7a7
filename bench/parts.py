"""What the parts of a running exchange use of the machine.

Processor time is that of each part's processes, in shares of one core; memory is their proportional
set size, which counts a page that several share once in all.
"""

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

PARTS = {
    "engine valkey": "engine.sock",
    "shared valkey": "valkey.sock",
    "postgres": "bin/postgres",
    "engine": "run_engine",
    "publisher": "run_publisher",
    "web": "exchange_site.asgi:application",
    "projector": "projector@",
    "follower": "follower@",
    "tasks": "tasks@",
    "beat": "beat-schedule",
    "market maker": "run_market_maker",
}
"""And a word of the command line of each; what else there is are the supervisor's own."""


def children() -> dict[int, list[int]]:
    """The children of every process of this machine."""
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if stat := _stat(int(folder.name)):
            found.setdefault(int(stat[1]), []).append(int(folder.name))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; none where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def processes_of_parts(supervisor: int) -> dict[str, list[int]]:
    tree = children()
    parts = {"supervisor": [supervisor]}
    for leader in tree.get(supervisor, []):
        command = _command(leader)
        name = next((name for name, word in PARTS.items() if word in command), "supervisor")
        found = [leader]
        for pid in found:
            found += tree.get(pid, [])
        parts.setdefault(name, []).extend(found)
    return parts


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def cpu_s(pids: list[int]) -> float:
    """Of the processes, and of their children that have ended."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in pids) / TICKS_PER_SECOND


def memory_bytes(pids: list[int]) -> int:
    """Of those that are still there: a rewrite of a file, say, is a process of a moment."""
    return sum(_pss_bytes(pid) for pid in pids)


def _pss_bytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = [line for line in rollup.splitlines() if line.startswith("Pss:")]
    return sum(int(line.split()[1]) for line in lines) * 1024
