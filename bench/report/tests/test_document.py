"""The report as its readers open it."""

from typing import Any

import pytest

from bench.report.baseline import Baseline, Kept
from bench.report.document import write_report
from bench.report.store import BenchRun

CALIBRATION = {"python": 50.0, "memory": 10.0, "wake": 1e5, "disk": 2_000.0}


def result(**content: Any) -> dict[str, Any]:
    return {"bench": "ws", "calibration": CALIBRATION, **content}


RUNS = [
    BenchRun(
        bench="ws",
        commit="abc",
        machine="2 cores",
        results=[
            result(
                what="orders in lists of 20, as fast as it goes",
                value=9_000,
                unit="orders/s",
                answer_ms={"p50": 10.0, "p90": 20.0, "p99": 40.0, "p99.9": 60.0, "max": 61.0},
                cores_a_part={"web": 0.9, "engine": 0.2},
                pss_mb_a_part={"web": 90.0, "engine": 60.0},
            )
        ],
    ),
    BenchRun(
        bench="growth",
        commit="abc",
        machine="2 cores",
        results=[
            result(
                bench="growth",
                what=f"of the engine with {size} symbols",
                value=rate,
                unit="messages/s",
                along="symbols",
                size=size,
                us_an_order={"worker": 1e6 / rate},
            )
            for size, rate in ((100, 40_000), (1, 50_000))
        ],
    ),
    BenchRun(bench="rest", commit="abc", machine="2 cores", failure="AssertionError: <none>"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("results") / "report.html"
    kept = Kept(24_000, "orders/s", speed=100)
    name = "ws: orders in lists of 20, as fast as it goes"
    return write_report(RUNS, Baseline(figures={name: kept}), path).read_text()


@pytest.mark.parametrize(
    "shown",
    [
        "9,000 orders/s",
        "≥ 10,000 orders/s",
        "missed, at 90% of it",
        "0.75",
        "worse",
        "No figure for the target “ws: orders one by one, as fast as it goes”",
        "It failed: AssertionError: &lt;none&gt;",
        "| symbols | messages/s | worker, µs |",
        "| 1 | 50,000 | 20 |\n| 100 | 40,000 | 25 |",
    ],
)
def test_it_says(page: str, shown: str) -> None:
    assert shown in page


@pytest.mark.parametrize(
    "title", ["Rates", "Latencies", "Processor", "Memory", "Growth with symbols"]
)
def test_it_draws(page: str, title: str) -> None:
    assert page.partition(f"<h2>{title}</h2>")[2].lstrip().startswith("<svg")


def test_it_needs_nothing_beside_it(page: str) -> None:
    assert "<script" not in page
    assert "src=" not in page
