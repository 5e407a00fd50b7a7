"""Keeps one limit order of the mirroring account per level of a venue's book. Pure.

A level that changes is cancelled and placed anew with its new quantity. All cancels of a frame go
first. What stands after them is part of the new book, which is not crossed, so nothing that is
placed then can meet another order of the mirror, in whatever order. The orders are plain limit
orders, not post-only: where somebody else's order stands in the way, the market trades through
it, as the venue's would.

Commands are sent long before their answers come. The mirror therefore foresees what a taker's
order will fill, which price priority decides, and compares the answer when it comes. Where it
differs, somebody else traded too: the levels in doubt are placed anew with the next frame, and
orders that were thought filled are cancelled in case they are not.
"""

from collections.abc import Iterable
from typing import NamedTuple

from engine.core.commands import CancelOrder, OrderTerms
from engine.core.events import OrderState
from engine.core.replies import OrderReply
from engine.core.types import BUY, GTC, LIMIT, SELL, Side
from markets.venues.depth_book import DepthBook, LevelKey

Wish = OrderTerms | CancelOrder
"""A command as long as it has no time."""


class Foreseen(NamedTuple):
    """What a taker's order is expected to do."""

    fills: dict[int, int]
    """Quantity by price."""
    filled: list[str]
    """Orders of the mirror, by client order id, of which nothing will remain."""


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
        self._maybe_open: list[str] = []
        """Orders that were thought filled, before somebody else turned out to have traded."""
        self._placed = 0

    def follow(self, changed: Iterable[LevelKey]) -> list[Wish]:
        """What makes the orders at these levels, and at those that traded, equal to the book."""
        cancels: list[Wish] = [self._cancel(name) for name in self._maybe_open]
        orders: list[Wish] = []
        for level in self._traded.union(self._doubtful, changed):
            wanted = self._book.quantity(level)
            standing = self._standing[level.side].get(level.price)
            remaining = standing.remaining if standing is not None else 0
            if remaining == wanted and level not in self._doubtful:
                continue
            if standing is not None:
                del self._standing[level.side][level.price]
                cancels.append(self._cancel(standing.client_order_id))
            if wanted:
                orders.append(self._place(level, wanted))
        self._traded.clear()
        self._doubtful.clear()
        self._maybe_open.clear()
        return cancels + orders

    def foresee(self, taker: OrderTerms) -> Foreseen:
        """Take off the mirror what the order will fill if nobody else trades."""
        assert taker.price is not None
        side = SELL if taker.side is BUY else BUY
        standing, best = self._standing[side], min if side is SELL else max
        wanted, foreseen = taker.quantity or 0, Foreseen({}, [])
        while wanted and standing:
            price = best(standing)
            if price > taker.price if side is SELL else price < taker.price:
                break
            maker = standing[price]
            foreseen.fills[price] = quantity = min(wanted, maker.remaining)
            wanted -= quantity
            maker.remaining -= quantity
            if not maker.remaining:
                del standing[price]
                foreseen.filled.append(maker.client_order_id)
            self._traded.add(LevelKey(side, price))
        return foreseen

    def heed_taker(self, foreseen: Foreseen, reply: OrderReply) -> None:
        """The answer to an order that was foreseen."""
        side = SELL if reply.order.terms.side is BUY else BUY
        fills: dict[int, int] = {}
        for fill in reply.fills:
            fills[fill.price] = fills.get(fill.price, 0) + fill.quantity
        # At a price with other people's orders the sum may be right and the order not.
        if fills != foreseen.fills or len(reply.fills) != len(fills):
            self._doubtful |= {LevelKey(side, price) for price in (*fills, *foreseen.fills)}
            self._maybe_open += foreseen.filled

    def heed_own(self, reply: OrderReply) -> None:
        """The answer to an order of the mirror. It has fills where it met somebody else's."""
        terms = reply.order.terms
        if reply.fills and terms.price is not None:
            self._doubtful.add(LevelKey(terms.side, terms.price))

    def correct(self, open_orders: Iterable[OrderState]) -> list[Wish]:
        """Start from what really stands: what makes the whole of it equal to the book.

        Needs the answers to everything that was sent.
        """
        self._standing = {BUY: {}, SELL: {}}
        for order in open_orders:
            terms = order.terms
            assert terms.price is not None
            assert terms.client_order_id is not None
            standing = self._standing[terms.side]
            if terms.price in standing:
                self._maybe_open.append(terms.client_order_id)
                continue
            remaining = (terms.quantity or 0) - order.executed_quantity
            standing[terms.price] = _Standing(terms.client_order_id, remaining)
        levels = {LevelKey(side, price) for side in (BUY, SELL) for price in self._standing[side]}
        return self.follow(levels | self._book.levels())

    def client_order_ids(self) -> set[str]:
        """The orders that stand as far as the mirror knows."""
        return {o.client_order_id for side in self._standing.values() for o in side.values()}

    def _cancel(self, client_order_id: str) -> CancelOrder:
        return CancelOrder(self._account, self._market, client_order_id=client_order_id)

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
