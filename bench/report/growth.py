"""How figures grow: results of one bench that differ in one size, as a table and as lines."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from bench.report import plots
from bench.report.figures import Result

COSTS: Final = "us_an_order"
"""The detail of a result that says what an order cost each part, in µs of the processor."""


class Table(NamedTuple):
    along: str
    """What there was more and more of, such as `symbols`."""
    columns: list[str]
    rows: list[list[float | None]]
    """The size first, then a number a column."""

    def plot(self) -> str:
        """The costs only: rates are of another scale."""
        sizes = [row[0] or 0.0 for row in self.rows]
        lines = {
            name: [row[place] or 0.0 for row in self.rows]
            for place, name in enumerate(self.columns)
            if name.endswith("µs")
        }
        return plots.growth(self.along, sizes, lines)

    def as_markdown(self) -> str:
        """For docs/PERFORMANCE.md."""
        head = f"| {' | '.join(self.columns)} |"
        rule = f"|{' --- |' * len(self.columns)}"
        lines = (f"| {' | '.join(map(_text, row))} |" for row in self.rows)
        return "\n".join([head, rule, *lines])


def tables_of(results: Sequence[Result]) -> list[Table]:
    """One for each `along`; the results of one say the same `unit`."""
    tables = []
    for along in dict.fromkeys(str(each["along"]) for each in results if "along" in each):
        chosen = sorted((r for r in results if r.get("along") == along), key=_size)
        parts = list(dict.fromkeys(part for each in chosen for part in each[COSTS]))
        extras = list(dict.fromkeys(name for each in chosen for name in each.get("beside", {})))
        columns = [along, chosen[0]["unit"], *(f"{part}, µs" for part in parts), *extras]
        tables.append(Table(along, columns, [_row(each, parts, extras) for each in chosen]))
    return tables


def _size(result: Result) -> Any:
    return result["size"]


def _row(result: Result, parts: Sequence[str], extras: Sequence[str]) -> list[float | None]:
    costs: Mapping[str, float] = result[COSTS]
    beside: Mapping[str, float] = result.get("beside", {})
    return [
        result["size"],
        result["value"],
        *(costs.get(part) for part in parts),
        *(beside.get(name) for name in extras),
    ]


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"
