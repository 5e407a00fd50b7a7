"""A recording of a venue: a line a frame, `<local receive time in ns> <JSON>`."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from markets.venues.binance import Frame, FrameError, parse_frame


class RecordingError(ValueError):
    """A line of the file is no recorded frame."""


class Recorded(NamedTuple):
    received_at_ns: int
    frame: Frame


def read_recording(lines: Iterable[bytes]) -> Iterator[Recorded]:
    """Raises RecordingError, with the number of the line."""
    for number, line in enumerate(lines, start=1):
        time, _, raw = line.partition(b" ")
        try:
            yield Recorded(int(time), parse_frame(raw))
        except (FrameError, ValueError) as error:
            raise RecordingError(f"line {number}: {error}") from error
