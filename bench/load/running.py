"""Run a plan against an exchange, with what its parts and the generator themselves cost."""

import os
import subprocess
import sys
from typing import Any, Final, NamedTuple

import msgspec

from bench.load.plan import Plan, Report, decoded
from bench.parts import cpu_s, memory_bytes, processes_of_parts

PERCENTILES: Final = (50, 90, 99, 99.9)


class Run(NamedTuple):
    report: Report
    cores: dict[str, float]
    """By part, and `generator`: shares of one core while the plan ran."""
    pss_mb: dict[str, float]


def run(plan: Plan, supervisor: int) -> Run:
    before = {name: cpu_s(pids) for name, pids in processes_of_parts(supervisor).items()}
    mine = os.times()
    answer = subprocess.run(
        [sys.executable, "-m", "bench.load.generator"],
        input=msgspec.json.encode(plan),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    after = os.times()
    parts = processes_of_parts(supervisor)
    cores = {
        name: (cpu_s(pids) - before.get(name, 0.0)) / plan.seconds for name, pids in parts.items()
    }
    spent = after.children_user + after.children_system
    cores["generator"] = (spent - mine.children_user - mine.children_system) / plan.seconds
    memory = {name: memory_bytes(pids) / 1_000_000 for name, pids in parts.items()}
    return Run(msgspec.json.decode(answer, type=Report), cores, memory)


def percentiles_ms(encoded: str) -> dict[str, float]:
    values = decoded(encoded)
    found = {f"p{p:g}": values.get_value_at_percentile(p) / 1_000 for p in PERCENTILES}
    return found | {"max": values.get_max_value() / 1_000}


def figures(run: Run) -> dict[str, Any]:
    """What every report of a load says."""
    return {
        "answer_ms": percentiles_ms(run.report.latencies),
        "generator_behind_ms": round(run.report.behind_us / 1_000, 2),
        "cores_a_part": {name: round(share, 3) for name, share in run.cores.items()},
        "pss_mb_a_part": {name: round(size, 1) for name, size in run.pss_mb.items()},
    }
