"""The report: one page of HTML with everything in it, made from the newest run of each bench."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.template import Context, Engine
from django.utils.safestring import mark_safe

from bench.report import plots
from bench.report.baseline import Baseline, Comparison, compare
from bench.report.figures import Result, figures_of, name_of, unmeasured
from bench.report.growth import tables_of
from bench.report.store import RESULTS, BenchRun

PATH: Final = RESULTS / "report.html"
_FOLDER: Final = Path(__file__).resolve().parent


class Plot(NamedTuple):
    title: str
    svg: str


def write_report(runs: Sequence[BenchRun], baseline: Baseline, path: Path = PATH) -> Path:
    template = Engine(dirs=[str(_FOLDER)]).get_template("report.html")
    path.write_text(template.render(Context(_content(runs, baseline))))
    return path


def _content(runs: Sequence[BenchRun], baseline: Baseline) -> dict[str, Any]:
    results: list[Result] = [result for run in runs for result in run.results]
    rows = [(run, compared(run, baseline)) for run in runs]
    comparisons = [comparison for _, compared in rows for comparison in compared]
    grown = tables_of(results)
    names = {name_of(result) for result in results if "along" not in result}
    flat = [result for result in results if "along" not in result]
    drawn = [
        ("Rates", plots.rates([each for each in comparisons if each.figure.name in names])),
        ("Latencies", plots.latencies(flat)),
        ("Processor", plots.shares(flat, "cores_a_part", "cores")),
        ("Memory", plots.shares(flat, "pss_mb_a_part", "MB (proportional set size)")),
        ("Processor time an order", plots.shares(flat, "cpu_us_an_order", "µs")),
        ("Worker time a message", plots.shares(flat, "worker_us", "µs")),
        *((f"Growth with {table.along}", table.plot()) for table in grown),
    ]
    return {
        "rows": rows,
        "unmeasured": unmeasured(
            {run.bench for run in runs if not run.failure}, (each.figure for each in comparisons)
        ),
        "machines": list(dict.fromkeys(run.machine for run in runs)),
        "baseline": baseline,
        "plots": [Plot(title, mark_safe(svg)) for title, svg in drawn if svg],  # noqa: S308 - ours
        "growth": grown,
        "details": [(run, [_as_text(result) for result in run.results]) for run in runs],
    }


def compared(run: BenchRun, baseline: Baseline) -> list[Comparison]:
    return [compare(figure, baseline) for result in run.results for figure in figures_of(result)]


def _as_text(result: Result) -> str:
    return json.dumps(result, indent=2)
