"""`make bench [BENCH=name]`: one JSON object a line, a report, and how it compares.

Without a name, those benches that take a minute. Standard output has the figures only; what is
going on, and the comparison with the committed baseline, go to standard error.
"""

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import django

from bench.calibration import Calibrator, between
from bench.report.baseline import Comparison, Verdict, read_baseline, write_baseline
from bench.report.document import compared, write_report
from bench.report.store import BenchRun, keep, kept_runs, this_commit, this_machine

BENCHES = (
    "core",
    "scale",
    "engine",
    "projector",
    "ws",
    "rest",
    "latency",
    "streams",
    "stalled",
    "takeover",
)
BY_NAME = ("follow", "growth", "idle", "page", "recovery", "replay", "soak")
"""They take minutes, a recording or a browser."""


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES + BY_NAME))
    parser.add_argument(
        "--baseline", action="store_true", help="these figures become the baseline's"
    )
    parser.add_argument(
        "--strict", action="store_true", help="fail where a figure is worse than the baseline's"
    )
    chosen = parser.parse_args(argv)
    unknown = [name for name in chosen.names if name not in BENCHES + BY_NAME]
    if unknown:
        parser.error(f"no such bench: {unknown[0]}; there are: {', '.join(BENCHES + BY_NAME)}")
    return chosen


def calibrated(name: str, calibrator: Calibrator) -> Iterator[dict[str, Any]]:
    """What the bench yields, each with the calibration of right before and right after it."""
    before = calibrator.measure()
    for result in importlib.import_module(f"bench.{name}").run():
        after = calibrator.measure()
        rates = between(before, after)._asdict()
        yield result | {"calibration": {part: round(rate, 1) for part, rate in rates.items()}}
        before = after


def run_bench(name: str, calibrator: Calibrator) -> BenchRun:
    """Print what it yields, and keep it. A failure is noted: the other benches are worth having."""
    run = BenchRun(bench=name, commit=this_commit(), machine=this_machine())
    started = time.monotonic()
    try:
        for result in calibrated(name, calibrator):
            print(json.dumps(result), flush=True)
            run.results.append(result)
    except Exception as error:
        traceback.print_exc()
        run.failure = f"{type(error).__name__}: {error}"
    run.seconds = round(time.monotonic() - started, 1)
    keep(run)
    return run


def tell(comparisons: Sequence[Comparison]) -> None:
    """What changed, and what is missing."""
    for each in comparisons:
        figure = f"{each.figure.name}: {each.measured}"
        if each.verdict in (Verdict.BETTER, Verdict.WORSE):
            _say(f"{each.verdict} than the baseline, {each.ratio:.2f} times as good: {figure}")
        if each.is_reached is False:
            _say(f"target {each.figure.target} {each.distance}: {figure}")


def main(argv: Sequence[str]) -> int:
    chosen = arguments(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    django.setup()  # for what benches share with the tests
    names = chosen.names or BENCHES
    calibrator = Calibrator()
    runs = []
    for number, name in enumerate(names, start=1):
        _say(f"{number} of {len(names)}: {name}")
        runs.append(run_bench(name, calibrator))
        _say(f"{number} of {len(names)}: {name} took {runs[-1].seconds:.0f} s")
    baseline = read_baseline()
    comparisons = [each for run in runs for each in compared(run, baseline)]
    tell(comparisons)
    _say(f"report: {os.path.relpath(write_report(kept_runs(BENCHES + BY_NAME), baseline))}")
    if chosen.baseline:
        unfinished = [run.bench for run in runs if run.failure]
        write_baseline([each.figure for each in comparisons], this_machine(), unfinished)
        _say("these figures are the baseline now")
    is_worse = any(each.verdict is Verdict.WORSE for each in comparisons)
    return int(any(run.failure for run in runs) or (chosen.strict and is_worse))


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
