"""Run a plan against an exchange, with what its parts and the generator themselves cost."""

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Final, NamedTuple

import msgspec
from hdrh.histogram import HdrHistogram

from bench.load.plan import Plan, Report, decoded
from bench.parts import cpu_s, memory_bytes, processes_of_parts

PERCENTILES: Final = (50, 90, 99, 99.9)

Processes = Mapping[str, list[int]]
"""By part."""


class Run(NamedTuple):
    plan: Plan
    report: Report
    cores: dict[str, float]
    """By part, and `generator`: shares of one core while the plan ran."""
    pss_mb: dict[str, float]
    """By part, and `generator`: at the end."""
    connected_mb: dict[str, float]
    """By part, when everything was connected, before the load."""


class Generator:
    """The process, connected; it waits until it is told to begin."""

    def __init__(self, process: "subprocess.Popen[bytes]", plan: Plan) -> None:
        self._process = process
        self.plan = plan
        assert self._output.readline() == b"ready\n", "the generator's standard error says why"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def ended(self, timeout_s: float) -> bool:
        """Whether the report is there, or comes within that time."""
        return bool(select.select([self._output], [], [], timeout_s)[0])

    def report(self) -> Report:
        """Waits for the end."""
        return msgspec.json.decode(self._output.readline(), type=Report)


@contextmanager
def generating(plan: Plan) -> Iterator[Generator]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load.generator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(plan) + b"\n")
        process.stdin.flush()
        yield Generator(process, plan)
    finally:
        process.terminate()
        process.communicate()


def run(
    plan: Plan,
    supervisor: int,
    *,
    others: Processes | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Run:
    """`others` are processes by the names of parts, which do not belong to the supervisor;
    `meanwhile` is called once a second."""

    def processes() -> dict[str, list[int]]:
        return {**processes_of_parts(supervisor), **(others or {})}

    with generating(plan) as generator:
        connected = memory_mb(processes())
        # The disk is given what was written before, or the load's first fsync would wait for it.
        os.sync()
        before = _used_s(processes())
        generator.begin()
        while meanwhile is not None and not generator.ended(timeout_s=1.0):
            meanwhile()
        report = generator.report()
        after = _used_s(processes())
        memory = memory_mb({**processes(), "generator": [generator.pid]})
    cores = {name: (used - before.get(name, 0.0)) / report.seconds for name, used in after.items()}
    cores["generator"] = report.cpu_s / report.seconds
    return Run(plan, report, cores, memory, connected)


def _used_s(processes: Processes) -> dict[str, float]:
    return {name: cpu_s(pids) for name, pids in processes.items()}


def memory_mb(processes: Processes) -> dict[str, float]:
    return {name: memory_bytes(pids) / 1_000_000 for name, pids in processes.items()}


def percentiles_ms(encoded: str) -> dict[str, float]:
    return values_ms(decoded(encoded))


def values_ms(values: HdrHistogram) -> dict[str, float]:
    """Percentiles of microseconds."""
    found = {f"p{p:g}": values.get_value_at_percentile(p) / 1_000 for p in PERCENTILES}
    return found | {"max": values.get_max_value() / 1_000}


def rate_of(run: Run) -> float:
    """Orders a second that came back with their result."""
    return run.report.answered / run.report.seconds


def figures(run: Run) -> dict[str, Any]:
    """What every report of a load says."""
    report, answered = run.report, max(run.report.answered, 1)
    cost_us = {name: share * report.seconds / answered * 1e6 for name, share in run.cores.items()}
    return {
        "asked_a_second": run.plan.rate or None,
        "answered_a_second": round(rate_of(run)),
        "refused": report.refused,
        "unknown": report.unknown,
        "unsent": report.unsent,
        "together": run.plan.together,
        "connections": run.plan.connections,
        "under_way": run.plan.under_way,
        "seconds": round(report.seconds, 1),
        "answer_ms": percentiles_ms(report.latencies),
        "generator_behind_ms": round(report.behind_us / 1_000, 2),
        "cores_a_part": {name: round(share, 3) for name, share in run.cores.items()},
        "cpu_us_an_order": {name: round(cost, 1) for name, cost in cost_us.items()},
        "pss_mb_a_part": {name: round(size, 1) for name, size in run.pss_mb.items()},
    }
