"""Single numbers out of what a bench yields, and which way each of them is better."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from bench.targets import TARGETS, Target

Result = Mapping[str, Any]
"""What a bench yields: `bench`, `value`, `unit`, mostly `what`, and details; `calibration` is added
as soon as it was measured."""


class Nature(Enum):
    """How a figure goes with the speed of the machine, and which way it is better."""

    RATE = "more on a quicker machine; more is better"
    TIME = "less on a quicker machine; less is better"
    SIZE = "the same on any machine; less is better"
    SHARE = "the same on any machine; more is better"


_NATURES: Final = {
    "s": Nature.TIME,
    "ms": Nature.TIME,
    "us": Nature.TIME,
    "cores": Nature.TIME,
    "kB": Nature.SIZE,
    "MB": Nature.SIZE,
    "ratio": Nature.SHARE,
    "of the throughput without": Nature.SHARE,
}


_BY_CLOCK: Final = frozenset({"takeover"})
"""Benches whose times are those of leases and timers, on any machine."""


def nature_of(unit: str, bench: str = "") -> Nature | None:
    """None for what only counts, such as messages seen."""
    if unit.endswith("/s") or unit == "sockets":
        return Nature.RATE
    nature = _NATURES.get(unit)
    return Nature.SIZE if nature is Nature.TIME and bench in _BY_CLOCK else nature


class Figure(NamedTuple):
    name: str
    value: float
    unit: str
    nature: Nature | None
    speed: float
    """Rounds a second of the calibration's `python`, measured beside it."""
    target: Target | None
    is_tail: bool
    """Said of the worst hundredth and beyond, which no short run knows well."""


def name_of(result: Result) -> str:
    what = result.get("what")
    return f"{result['bench']}: {what}" if what else str(result["bench"])


def bench_of(figure: str) -> str:
    return figure.partition(":")[0]


def figures_of(result: Result) -> Iterator[Figure]:
    """The value itself, and each detail that has a target."""
    name, speed, bench = name_of(result), result["calibration"]["python"], result["bench"]
    targets = {target.field: target for target in TARGETS if target.figure == name}
    own, unit = targets.pop("value", None), result["unit"]
    tail = "p99" in str(result.get("what"))
    yield Figure(name, float(result["value"]), unit, nature_of(unit, bench), speed, own, tail)
    for field, target in targets.items():
        value = detail(result, field)
        if value is not None:
            label, nature = f"{name}, {field.replace('.', ' ')}", nature_of(target.unit, bench)
            tail = field.rpartition(".")[2] != "p50"
            yield Figure(label, value, target.unit, nature, speed, target, tail)


def detail(result: Result, path: str) -> float | None:
    """`answer_ms.p99` of the result, where it is there."""
    found: Any = result
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return float(found)


def unmeasured(benches: Collection[str], figures: Iterable[Figure]) -> list[Target]:
    """Targets of these benches that no figure has: one of the two was renamed."""
    met = {each.target for each in figures}
    of_benches = (each for each in TARGETS if bench_of(each.figure) in benches)
    return [each for each in of_benches if each not in met]
