"""What falls due at a time: orders that are good till a date, timers, ends of calls."""

from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

_SLACK: Final = 64


class Kind(IntEnum):
    """In the order in which what is due at one time is done."""

    ORDER_EXPIRES = 0
    TIMER_CANCELS = 1
    CALL_ENDS = 2


class Deadline(NamedTuple):
    """What it is about: an account's order, its timer (`market` empty: for all), or a market."""

    kind: Kind
    account: int
    market: str
    order_id: int


class Deadlines:
    """A heap of times, one for each subject. What was discarded is skipped, and swept out."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, Deadline]] = []
        self._due: dict[Deadline, int] = {}

    def __len__(self) -> int:
        return len(self._due)

    def set(self, deadline: Deadline, due: int) -> None:
        """From now on it is due at that time, and at no other."""
        if self._due.get(deadline) != due:
            self._due[deadline] = due
            heappush(self._heap, (due, deadline))
            self._sweep()

    def discard(self, deadline: Deadline) -> None:
        if self._due.pop(deadline, None) is not None:
            self._sweep()

    def next(self) -> int | None:
        """The earliest time at which something falls due."""
        while self._heap and not self._stands(self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int) -> Deadline | None:
        """Take out the earliest whose time has come."""
        due = self.next()
        if due is None or due > now:
            return None
        deadline = heappop(self._heap)[1]
        del self._due[deadline]
        return deadline

    def of_kind(self, kind: Kind) -> list[tuple[Deadline, int]]:
        """Those that stand, with their times; sorted."""
        return sorted(item for item in self._due.items() if item[0].kind is kind)

    def _stands(self, entry: tuple[int, Deadline]) -> bool:
        return self._due.get(entry[1]) == entry[0]

    def _sweep(self) -> None:
        if len(self._heap) > 2 * len(self._due) + _SLACK:
            self._heap = [(due, deadline) for deadline, due in self._due.items()]
            heapify(self._heap)
