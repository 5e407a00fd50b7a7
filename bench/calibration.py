"""How fast this machine is at the moment, so that figures of different machines and hours compare.

Four fixed pieces of work that have nothing to do with the exchange, measured right beside each
figure. `python` is what figures are set in relation to; the others say where a machine differs in
more than its processor.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import fmean, median
from typing import Final, NamedTuple

REPEATS: Final = 7
_SMALL: Final = 20_000
_SCATTERED: Final = 1_000_000
_PAGE: Final = b"x" * 4096
_ECHO: Final = (
    *(sys.executable, "-S", "-c"),
    "import os\nwhile byte := os.read(0, 1):\n    os.write(1, byte)",
)


class Calibration(NamedTuple):
    """Rounds a second of each piece of work, as medians."""

    python: float
    """Objects made and dropped, looked up and written as text: 20,000 a round."""
    memory: float
    """A million objects visited in an order that no cache knows."""
    wake: float
    """One byte to another process and back."""
    disk: float
    """4 kB written to a file, and fsync."""


class _Point:
    __slots__ = ("price", "quantity")

    def __init__(self, price: int, quantity: int) -> None:
        self.price = price
        self.quantity = quantity


def between(before: Calibration, after: Calibration) -> Calibration:
    """That of what ran in between."""
    return Calibration(*(fmean(pair) for pair in zip(before, after, strict=True)))


class Calibrator:
    """Measures again and again, on material that is prepared once."""

    def __init__(self) -> None:
        self._scattered = list(range(_SCATTERED))
        random.Random(1).shuffle(self._scattered)

    def measure(self) -> Calibration:
        """A second's work."""
        with tempfile.NamedTemporaryFile(prefix="bench-") as file:
            disk = _rate(lambda: _write(file.fileno()), times=5 * REPEATS)
        with subprocess.Popen(_ECHO, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as echo:
            assert echo.stdin is not None
            assert echo.stdout is not None
            ends = echo.stdin.fileno(), echo.stdout.fileno()
            wake = _rate(lambda: _echo(*ends), times=100 * REPEATS)
        return Calibration(
            python=_rate(_python, times=REPEATS),
            memory=_rate(lambda: sum(self._scattered), times=REPEATS),
            wake=wake,
            disk=disk,
        )


def _rate(work: Callable[[], object], *, times: int) -> float:
    return 1 / median(_seconds(work) for _ in range(times))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _python() -> int:
    book: dict[int, _Point] = {}
    length = 0
    for number in range(_SMALL):
        price = number * 7_919 % 1_009
        point = book.get(price)
        if point is None or point.quantity > 500:
            book[price] = point = _Point(price, 0)
        point.quantity += number & 63
        length += len(f"{price}:{point.quantity}")
    return length


def _echo(there: int, back: int) -> None:
    os.write(there, b".")
    os.read(back, 1)


def _write(file: int) -> None:
    os.write(file, _PAGE)
    os.fsync(file)
