"""Keeps one limit order of the mirroring account per level of a venue's book. Pure.

A level that changes is cancelled and placed anew with its new quantity. All cancels of a frame go
first. What stands after them is part of the new book, which is not crossed, so nothing that is
placed then can meet another order of the mirror, in whatever order. The orders are plain limit
orders, not post-only: where somebody else's order stands in the way, the market trades through
it, as the venue's would.

Commands are sent long before their answers come. The mirror therefore foresees what a taker's
order will fill, which price priority decides, and compares the answer when it comes. Where it
differs, somebody else traded too: the levels in doubt are placed anew with the next frame.
"""

from collections.abc import Iterable

from engine.core.commands import CancelOrder, OrderTerms
from engine.core.replies import OrderReply
from engine.core.types import BUY, GTC, LIMIT, SELL, Side
from markets.venues.depth_book import DepthBook, LevelKey

Wish = OrderTerms | CancelOrder
"""A command as long as it has no time."""

Foreseen = dict[int, int]
"""What a taker's order is expected to fill: quantity by price."""


class _Standing:
    """An order in the book, and what will remain of it."""

    __slots__ = ("client_order_id", "remaining")

    def __init__(self, client_order_id: str, remaining: int) -> None:
        self.client_order_id = client_order_id
        self.remaining = remaining


class Mirror:
    def __init__(self, *, account: int, market: str, book: DepthBook) -> None:
        self._account = account
        self._market = market
        self._book = book
        self._standing: dict[Side, dict[int, _Standing]] = {BUY: {}, SELL: {}}
        self._traded: set[LevelKey] = set()
        """Levels that were filled since they were last compared with the book."""
        self._doubtful: set[LevelKey] = set()
        """Levels where somebody else traded."""
        self._placed = 0

    def follow(self, changed: Iterable[LevelKey]) -> list[Wish]:
        """What makes the orders at these levels, and at those that traded, equal to the book."""
        cancels: list[Wish] = []
        orders: list[Wish] = []
        for level in self._traded.union(self._doubtful, changed):
            wanted = self._book.quantity(level)
            standing = self._standing[level.side].get(level.price)
            remaining = standing.remaining if standing is not None else 0
            if remaining == wanted and level not in self._doubtful:
                continue
            if standing is not None:
                cancels.append(self._cancel(level, standing))
            if wanted:
                orders.append(self._place(level, wanted))
        self._traded.clear()
        self._doubtful.clear()
        return cancels + orders

    def foresee(self, taker: OrderTerms) -> Foreseen:
        """Take off the mirror what the order will fill if nobody else trades."""
        assert taker.price is not None
        side = SELL if taker.side is BUY else BUY
        standing, best = self._standing[side], min if side is SELL else max
        wanted, filled = taker.quantity or 0, {}
        while wanted and standing:
            price = best(standing)
            if price > taker.price if side is SELL else price < taker.price:
                break
            maker = standing[price]
            filled[price] = quantity = min(wanted, maker.remaining)
            wanted -= quantity
            maker.remaining -= quantity
            if not maker.remaining:
                del standing[price]
            self._traded.add(LevelKey(side, price))
        return filled

    def heed_taker(self, foreseen: Foreseen, reply: OrderReply) -> None:
        """The answer to an order that was foreseen."""
        side = SELL if reply.order.terms.side is BUY else BUY
        filled: Foreseen = {}
        for fill in reply.fills:
            filled[fill.price] = filled.get(fill.price, 0) + fill.quantity
        if filled != foreseen:
            self._doubtful |= {LevelKey(side, price) for price in (*filled, *foreseen)}

    def heed_own(self, reply: OrderReply) -> None:
        """The answer to an order of the mirror. It has fills where it met somebody else's."""
        terms = reply.order.terms
        if reply.fills and terms.price is not None:
            self._doubtful.add(LevelKey(terms.side, terms.price))

    def _cancel(self, level: LevelKey, standing: _Standing) -> CancelOrder:
        del self._standing[level.side][level.price]
        return CancelOrder(self._account, self._market, client_order_id=standing.client_order_id)

    def _place(self, level: LevelKey, quantity: int) -> OrderTerms:
        self._placed += 1
        client_order_id = f"{self._market}-{self._placed}"
        self._standing[level.side][level.price] = _Standing(client_order_id, quantity)
        return OrderTerms(
            account=self._account,
            market=self._market,
            side=level.side,
            type=LIMIT,
            time_in_force=GTC,
            price=level.price,
            quantity=quantity,
            client_order_id=client_order_id,
        )
