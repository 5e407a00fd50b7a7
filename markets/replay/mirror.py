"""Keeps one limit order of the mirroring account per level of a venue's book. Pure.

A level that changes is cancelled and placed anew with its new quantity: then the mirror is right
again even where other people traded with it meanwhile. All cancels of a frame go first. What
stands after them is part of the new book, which is not crossed, so nothing that is placed then
can meet another order of the mirror, in whatever order. The orders are plain limit orders, not
post-only: where somebody else's order stands in the way, the market trades through it, as the
venue's would.
"""

from collections.abc import Iterable

from engine.core.commands import CancelOrder, OrderTerms
from engine.core.events import Fill
from engine.core.replies import OrderReply
from engine.core.types import BUY, GTC, LIMIT, SELL, Side
from markets.venues.depth_book import DepthBook, LevelKey

Wish = OrderTerms | CancelOrder
"""A command as long as it has no time."""


class _Standing:
    __slots__ = ("client_order_id", "remaining")

    def __init__(self, client_order_id: str, remaining: int) -> None:
        self.client_order_id = client_order_id
        self.remaining = remaining


class Mirror:
    def __init__(self, *, account: int, market: str, book: DepthBook) -> None:
        self._account = account
        self._market = market
        self._book = book
        self._standing: dict[LevelKey, _Standing] = {}
        self._traded: set[LevelKey] = set()
        """Levels where orders were filled since they were last compared with the book."""
        self._placed = 0

    def follow(self, changed: Iterable[LevelKey]) -> list[Wish]:
        """What makes the orders at these levels, and at those that traded, equal to the book.

        Needs the answers to everything that may have traded before.
        """
        cancels: list[Wish] = []
        orders: list[Wish] = []
        for level in self._traded.union(changed):
            wanted = self._book.quantity(level)
            standing = self._standing.get(level)
            if (standing.remaining if standing else 0) == wanted:
                continue
            if standing:
                cancels.append(self._cancel(level, standing))
            if wanted:
                orders.append(self._place(level, wanted))
        self._traded.clear()
        return cancels + orders

    def heed_own(self, reply: OrderReply) -> None:
        """An order of the mirror was placed. It has fills where it met somebody else's."""
        terms = reply.order.terms
        if reply.fills and terms.price is not None:
            level = LevelKey(terms.side, terms.price)
            standing = self._standing.get(level)
            if standing is not None and standing.client_order_id == terms.client_order_id:
                self._reduce(level, reply.order.executed_quantity)

    def heed_taker(self, taker_side: Side, fills: Iterable[Fill]) -> None:
        """Somebody traded with the book: at each price, with the mirror's order there."""
        maker_side = SELL if taker_side is BUY else BUY
        for fill in fills:
            self._reduce(LevelKey(maker_side, fill.price), fill.quantity)

    def _reduce(self, level: LevelKey, quantity: int) -> None:
        self._traded.add(level)
        standing = self._standing.get(level)
        if standing is None:
            return
        standing.remaining -= quantity
        if standing.remaining <= 0:
            del self._standing[level]

    def _cancel(self, level: LevelKey, standing: _Standing) -> CancelOrder:
        del self._standing[level]
        return CancelOrder(self._account, self._market, client_order_id=standing.client_order_id)

    def _place(self, level: LevelKey, quantity: int) -> OrderTerms:
        self._placed += 1
        client_order_id = f"{self._market}-{self._placed}"
        self._standing[level] = _Standing(client_order_id, quantity)
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
