"""What falls due at a time: open orders that are good till a date."""

from heapq import heapify, heappop, heappush
from typing import Final

from engine.core.order import Order

_SLACK: Final = 64


class Deadlines:
    """A heap of times; orders that ended earlier are skipped, and swept out when they pile up."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._orders: dict[int, Order] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: Order, due: int) -> None:
        self._orders[order.order_id] = order
        heappush(self._heap, (due, order.order_id))

    def discard(self, order_id: int) -> None:
        if self._orders.pop(order_id, None) and len(self._heap) > 2 * len(self._orders) + _SLACK:
            self._heap = [entry for entry in self._heap if entry[1] in self._orders]
            heapify(self._heap)

    def next(self) -> int | None:
        """The earliest time at which something falls due."""
        while self._heap and self._heap[0][1] not in self._orders:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int) -> Order | None:
        """Take out the earliest order whose time has come: at `good_till` or later."""
        due = self.next()
        if due is None or due > now:
            return None
        return self._orders.pop(heappop(self._heap)[1])
