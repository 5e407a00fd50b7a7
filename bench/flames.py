"""A flame graph as text: which calls the time of an order went to, with what each called."""

import html
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, NamedTuple

_FRAME: Final = re.compile(
    r"<g><title>(?P<name>.*?) \([\d,]+ samples, [\d.]+%\)</title>"
    r'<rect [^>]*? y="(?P<depth>\d+)"[^>]*? fg:x="(?P<start>\d+)" fg:w="(?P<width>\d+)"/>'
)
"""As inferno writes them, which py-spy draws with."""

SMALLEST: Final = 0.02
"""Calls with a smaller share of the whole are left out."""

ALL_BUT: Final = 0.95
"""Who hands on so much of its time to another call only leads the way to it."""

NEAREST: Final = 1


class Frame(NamedTuple):
    depth: int
    start: int
    width: int
    name: str

    def holds(self, other: "Frame") -> bool:
        return (
            self.depth < other.depth
            and self.start <= other.start
            and other.start + other.width <= self.start + self.width
        )


def frames_of(svg: str) -> list[Frame]:
    """In the order of a walk through the tree, callers first."""
    found = [
        Frame(int(m["depth"]), int(m["start"]), int(m["width"]), html.unescape(m["name"]))
        for m in _FRAME.finditer(svg)
    ]
    return sorted(found, key=lambda frame: (frame.start, frame.depth, -frame.width))


def outline(svg: str, whole_us: float) -> Iterator[str]:
    """A line a call: its microseconds, its share, and its name under its caller's.

    Callers that only lead the way to one other call have no lines of their own; the nearest one
    stands before its name.
    """
    frames = frames_of(svg)
    whole = frames[0].width
    frames = [frame for frame in frames if frame.width >= SMALLEST * whole]
    callers: list[Frame] = []
    leading: list[str] = []
    for frame, following in zip_longest(frames, frames[1:]):
        if following and frame.holds(following) and following.width >= ALL_BUT * frame.width:
            leading.append(frame.name)
            continue
        while callers and not callers[-1].holds(frame):
            callers.pop()
        share, indent = frame.width / whole, "  " * len(callers)
        name = " > ".join([*leading[-NEAREST:], frame.name])
        yield f"{share * whole_us:8.1f} {share:6.1%}  {indent}{name}"
        callers.append(frame)
        leading = []
