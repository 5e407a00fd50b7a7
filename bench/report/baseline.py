"""The committed figures, and how those of today compare with them.

Both carry the calibration of their hour, and it is the ratios to it that are compared: a machine
that is half as fast gives half the orders, and that is no regression.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.report.figures import Figure, Nature, bench_of

PATH: Final = Path(__file__).resolve().parent.parent / "baseline.json"

TOLERANCE: Final = 1.25
"""What is up to so many times better or worse is the same, on a machine that others use too."""

TAIL_TOLERANCE: Final = 2.0
"""For the worst of the latencies, which one pause of the machine decides."""


class Kept(msgspec.Struct, frozen=True):
    """A figure as it was when the baseline was written, and the calibration beside it."""

    value: float
    unit: str
    speed: float


class Baseline(msgspec.Struct):
    machine: str = ""
    figures: dict[str, Kept] = {}


class Verdict(StrEnum):
    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    NEW = "new"
    UNCOMPARED = "not compared"


class Comparison(NamedTuple):
    figure: Figure
    verdict: Verdict
    ratio: float | None = None
    """How many times as good as the baseline's; None where there is nothing to compare."""
    expected: float | None = None
    """What the baseline comes to on this machine, at its present speed."""

    @property
    def measured(self) -> str:
        value = self.figure.value
        return (
            f"{value:,.0f} {self.figure.unit}"
            if value >= 1_000
            else f"{value:g} {self.figure.unit}"
        )

    @property
    def is_reached(self) -> bool | None:
        """None without a target."""
        target = self.figure.target
        return None if target is None else target.is_reached(self.figure.value)

    @property
    def distance(self) -> str:
        """By how much the target is reached or missed."""
        target = self.figure.target
        return "" if target is None else target.distance(self.figure.value)


def read_baseline() -> Baseline:
    return msgspec.json.decode(PATH.read_bytes(), type=Baseline) if PATH.exists() else Baseline()


def write_baseline(
    figures: Sequence[Figure], machine: str, unfinished: Collection[str] = ()
) -> None:
    """These take the place of all figures of their benches; those of the others stay.

    A bench that did not come to its end leaves those that it has not measured.
    """
    baseline = read_baseline()
    baseline.machine = machine
    anew = {bench_of(each.name) for each in figures} - set(unfinished)
    for name in [name for name in baseline.figures if bench_of(name) in anew]:
        del baseline.figures[name]
    for each in figures:
        if each.nature is not None:
            baseline.figures[each.name] = Kept(each.value, each.unit, round(each.speed, 2))
    baseline.figures = dict(sorted(baseline.figures.items()))
    PATH.write_bytes(msgspec.json.format(msgspec.json.encode(baseline), indent=2) + b"\n")


def compare(figure: Figure, baseline: Baseline) -> Comparison:
    nature = figure.nature
    if nature is None:
        return Comparison(figure, Verdict.UNCOMPARED)
    kept = baseline.figures.get(figure.name)
    if kept is None or kept.unit != figure.unit:
        return Comparison(figure, Verdict.NEW)
    expected = _at_speed(kept, figure.speed, nature)
    if not figure.value or not expected:
        return Comparison(figure, Verdict.UNCOMPARED, expected=expected)
    more_is_better = nature in (Nature.RATE, Nature.SHARE)
    ratio = figure.value / expected if more_is_better else expected / figure.value
    tolerance = TAIL_TOLERANCE if figure.is_tail else TOLERANCE
    if ratio > tolerance:
        verdict = Verdict.BETTER
    elif ratio < 1 / tolerance:
        verdict = Verdict.WORSE
    else:
        verdict = Verdict.SAME
    return Comparison(figure, verdict, ratio, expected)


def _at_speed(kept: Kept, speed: float, nature: Nature) -> float:
    """The kept value, on a machine of that speed."""
    match nature:
        case Nature.RATE:
            return kept.value * speed / kept.speed
        case Nature.TIME:
            return kept.value * kept.speed / speed
        case _:
            return kept.value
