"""The pictures of a report: matplotlib draws them, as SVG that stands within a page."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from bench.report.baseline import Comparison
from bench.report.figures import Nature, Result, detail, name_of

_PERCENTILE: Final = re.compile(r"p(\d+(?:\.\d+)?)$")
_WIDTH: Final = 10.0
_INCHES_A_BAR: Final = 0.38
_INCHES_A_LINE: Final = 0.2
_CHARACTERS_A_NAME: Final = 48

matplotlib.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "bench",  # the same figures make the same file
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "legend.frameon": False,
    }
)


def rates(comparisons: Sequence[Comparison]) -> str:
    """Bars of what is counted a second, with the baseline's and the target's marks; logarithmic."""
    shown = [each for each in comparisons if each.figure.nature is Nature.RATE][::-1]
    if not shown:
        return ""
    canvas, axes = _canvas(_INCHES_A_BAR * len(shown))
    places = range(len(shown))
    values = [each.figure.value for each in shown]
    axes.barh(places, values, color="tab:blue", alpha=0.75, height=0.55, label="measured")
    marks: list[tuple[str, str, Callable[[Comparison], float | None]]] = [
        ("baseline, at this machine's speed", "tab:orange", lambda each: each.expected),
        ("target", "tab:red", _bound),
    ]
    for label, colour, mark in marks:
        found = [(x, y) for y, each in enumerate(shown) if (x := mark(each))]
        if found:
            lefts, ys = zip(*found, strict=True)
            axes.scatter(lefts, ys, marker="|", s=240, linewidth=2.5, color=colour, label=label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(left=min(values) / 3)
    axes.set_yticks(list(places), [_wrapped(each.figure.name) for each in shown])
    axes.set_xlabel("a second")
    return _finish(canvas, columns=3)


def _bound(comparison: Comparison) -> float | None:
    target = comparison.figure.target
    return target.bound if target else None


def latencies(results: Sequence[Result]) -> str:
    """A curve for each set of percentiles; the scales are those of HdrHistogram's own plots."""
    curves = [curve for result in results for curve in _curves(result)]
    if not curves:
        return ""
    canvas, axes = _canvas(4 + _INCHES_A_LINE * len(curves))
    for label, points in curves:
        # The highest value of a run belongs to no percentile of its own.
        shares = [1 / (1 - percentile / 100) for percentile, _ in points]
        axes.plot(shares, [ms for _, ms in points], marker=".", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = (50, 90, 99, 99.9, 99.99)
    axes.set_xticks([1 / (1 - tick / 100) for tick in ticks], [f"{tick:g} %" for tick in ticks])
    axes.set_xlabel("of all are quicker than")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.set_ylabel("ms")
    return _finish(canvas, columns=1)


def _curves(result: Result) -> list[tuple[str, list[tuple[float, float]]]]:
    """Each `..._ms` of the result that holds percentiles, or holds such by name."""
    found = []
    for field, value in result.items():
        if not field.endswith("_ms") or not isinstance(value, Mapping):
            continue
        label = f"{name_of(result)}, {field.removesuffix('_ms')}"
        nested = {key: each for key, each in value.items() if isinstance(each, Mapping)}
        for name, percentiles in nested.items():
            found.append((f"{label} {name}", _points(percentiles)))
        if not nested:
            found.append((label, _points(value)))
    return [(label, points) for label, points in found if len(points) > 1]


def _points(percentiles: Mapping[str, Any]) -> list[tuple[float, float]]:
    points = []
    for key, value in percentiles.items():
        if (match := _PERCENTILE.match(key)) and value:
            points.append((float(match[1]), float(value)))
    return sorted(point for point in points if point[0] < 100)


def shares(results: Sequence[Result], field: str, unit: str) -> str:
    """Stacked bars, one a result that has `field`, a mapping from part to amount."""
    shown = [result for result in results if isinstance(result.get(field), Mapping)][::-1]
    if not shown:
        return ""
    parts = list(dict.fromkeys(part for result in shown for part in result[field]))
    canvas, axes = _canvas(_INCHES_A_BAR * len(shown) + _INCHES_A_LINE * len(parts) / 5)
    places = range(len(shown))
    left = [0.0] * len(shown)
    colours = matplotlib.colormaps["tab20"].colors  # type: ignore[attr-defined]
    for number, part in enumerate(parts):
        widths = [detail(result[field], part) or 0.0 for result in shown]
        colour = colours[number % len(colours)]
        axes.barh(places, widths, left=left, height=0.55, label=part, color=colour)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_yticks(list(places), [_wrapped(name_of(result)) for result in shown])
    axes.set_xlabel(unit)
    return _finish(canvas, columns=5)


def growth(title: str, along: Sequence[float], lines: Mapping[str, Sequence[float]]) -> str:
    """Lines over a logarithmic axis of how much there was of `title`."""
    canvas, axes = _canvas(3)
    for label, values in lines.items():
        axes.plot(along, values, marker="o", label=label)
    axes.set_xscale(
        "symlog" if min(along) == 0 else "log", **({"linthresh": 1} if 0 in along else {})
    )
    axes.set_xticks(list(along), [f"{each:,.0f}" for each in along])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel(title)
    return _finish(canvas, columns=3)


def _wrapped(name: str) -> str:
    return fill(name, _CHARACTERS_A_NAME)


def _canvas(height: float) -> tuple[Canvas, Axes]:
    """Inches, beside what axis and legend take in any case."""
    canvas = Canvas(figsize=(_WIDTH, 1 + height), layout="constrained")
    return canvas, canvas.subplots()


def _finish(canvas: Canvas, *, columns: int) -> str:
    """With a legend below, in so many columns; as SVG."""
    canvas.legend(loc="outside lower left", ncols=columns)
    out = io.StringIO()
    canvas.savefig(out, format="svg", metadata={"Date": None})
    svg = out.getvalue()
    return svg[svg.index("<svg") :]
