"""Figures beside those of a machine that was quicker, or slower, by the calibration."""

from pathlib import Path

import msgspec
import pytest

from bench.report import baseline as committed
from bench.report.baseline import (
    Baseline,
    Kept,
    Verdict,
    compare,
    read_baseline,
    write_baseline,
)
from bench.report.figures import Figure, Nature, figures_of, nature_of, unmeasured
from bench.targets import TARGETS

SPEED = 100.0
"""Of the baseline's machine."""


def figure(value: float, unit: str, speed: float, *, is_tail: bool = False) -> Figure:
    return Figure("some", value, unit, nature_of(unit), speed, None, is_tail)


@pytest.mark.parametrize(
    ("kept", "value", "unit", "speed", "ratio", "verdict"),
    [
        (1_000, 1_000, "orders/s", 100, 1.0, Verdict.SAME),
        (1_000, 500, "orders/s", 50, 1.0, Verdict.SAME),
        (1_000, 500, "orders/s", 100, 0.5, Verdict.WORSE),
        (1_000, 1_000, "orders/s", 50, 2.0, Verdict.BETTER),
        (10, 20, "ms", 50, 1.0, Verdict.SAME),
        (10, 20, "ms", 100, 0.5, Verdict.WORSE),
        (10, 10, "us", 50, 2.0, Verdict.BETTER),
        (80, 80, "MB", 50, 1.0, Verdict.SAME),
        (80, 160, "MB", 100, 0.5, Verdict.WORSE),
        (0.6, 0.6, "ratio", 50, 1.0, Verdict.SAME),
        (0.4, 0.6, "ratio", 100, 1.5, Verdict.BETTER),
    ],
)
def test_figures_compare_at_the_same_speed(
    kept: float, value: float, unit: str, speed: float, ratio: float, verdict: Verdict
) -> None:
    baseline = Baseline(figures={"some": Kept(kept, unit, SPEED)})
    found = compare(figure(value, unit, speed), baseline)
    assert found.ratio == pytest.approx(ratio)
    assert found.verdict is verdict


def test_the_worst_latencies_may_differ_more() -> None:
    baseline = Baseline(figures={"some": Kept(10, "ms", SPEED)})
    assert compare(figure(15, "ms", SPEED), baseline).verdict is Verdict.WORSE
    assert compare(figure(15, "ms", SPEED, is_tail=True), baseline).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("value", "unit", "kept", "verdict"),
    [
        (1, "orders/s", {}, Verdict.NEW),
        (1, "ms", {"some": Kept(1, "s", SPEED)}, Verdict.NEW),
        (1, "messages", {"some": Kept(1, "messages", SPEED)}, Verdict.UNCOMPARED),
        (0, "s", {"some": Kept(1, "s", SPEED)}, Verdict.UNCOMPARED),
    ],
)
def test_what_cannot_be_compared(
    value: float, unit: str, kept: dict[str, Kept], verdict: Verdict
) -> None:
    found = compare(figure(value, unit, SPEED), Baseline(figures=kept))
    assert found.verdict is verdict
    assert found.ratio is None


def test_details_with_a_target_are_figures_of_their_own() -> None:
    result = {
        "bench": "takeover",
        "what": "median from kill -9 of the leader to the first acknowledged order",
        "value": 0.4,
        "unit": "s",
        "max": 2.5,
        "calibration": {"python": SPEED},
    }
    median, longest = figures_of(result)
    assert (median.value, median.target) == (0.4, None)
    assert (longest.value, longest.unit, longest.is_tail) == (2.5, "s", True)
    assert longest.nature is Nature.SIZE  # leases end when they end, on any machine
    missed = compare(longest, Baseline())
    assert missed.is_reached is False
    assert missed.distance == "missed, 1.25 times as much"


def test_a_target_that_no_figure_meets_is_told() -> None:
    assert unmeasured(["core"], []) == [each for each in TARGETS if each.figure == "core"]
    assert unmeasured(["idle"], []) == []


@pytest.mark.parametrize(
    ("unfinished", "names"),
    [
        ([], ["core-large", "ws: p50"]),
        (["ws"], ["core-large", "ws: p50", "ws: p99"]),  # it may not have come to that one
    ],
)
def test_the_baseline_forgets_what_its_benches_no_longer_measure(
    unfinished: list[str], names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committed, "PATH", tmp_path / "baseline.json")
    old = {name: Kept(1, "ms", SPEED) for name in ("core-large", "ws: p50", "ws: p99")}
    committed.PATH.write_bytes(msgspec.json.encode(Baseline("theirs", old)))
    write_baseline([figure(2, "ms", SPEED)._replace(name="ws: p50")], "ours", unfinished)
    written = read_baseline()
    assert written.machine == "ours"
    assert list(written.figures) == names
    assert written.figures["ws: p50"].value == 2
    assert written.figures["core-large"].value == 1
