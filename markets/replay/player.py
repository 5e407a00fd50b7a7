"""Turns frames into commands and answers into what the mirror knows. The exchange is a port."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from engine.core.commands import CancelOrder, Command, OrderTerms, PlaceOrder
from engine.core.events import OrderState
from engine.core.rejections import Code
from engine.core.replies import OrderReply, Refused, Reply
from engine.core.types import BUY, IOC, LIMIT, SELL
from engine.pipeline import Answered
from markets.replay.mirror import Foreseen, Mirror, Wish
from markets.services import ORDER_LIFETIME_MS
from markets.venues.amounts import Scales
from markets.venues.binance import DepthDiff, DepthSnapshot, Frame, TradePrint
from markets.venues.depth_book import DepthBook

SEND_AT: Final = 256
"""Wishes that are sent together at the latest, as many as the engine takes in one batch."""


class Exchange(Protocol):
    """As `engine.pipeline.Pipeline`: commands in order; answers later, in the same order."""

    def send(self, commands: Sequence[Command]) -> list[Answered]: ...

    def drain(self) -> list[Answered]: ...


class ReplayRefused(Exception):
    """The engine refused what a replay needs: the exchange no longer follows the recording."""


class Players(NamedTuple):
    """The accounts on both sides of the replayed trades."""

    maker: int
    taker: int


@dataclass
class Tally:
    frames: int = 0
    prints: int = 0
    orders: int = 0
    cancels: int = 0
    fills: int = 0
    recorded_quantity: int = 0
    """What the prints traded on the venue."""
    traded_quantity: int = 0
    """What they traded here: less, where the book of their moment came later in the recording."""


class Player:
    """Plays frames one after the other. After each depth frame the exchange's book is the
    recorded one, as soon as what was sent is answered."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        market: str,
        scales: Scales,
        players: Players,
        now_ms: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._market = market
        self._scales = scales
        self._players = players
        self._now_ms = now_ms
        self._outbox: list[Wish] = []
        self._foreseen: deque[Foreseen] = deque()
        """One for each of the taker's orders without an answer, in their order."""
        self.book = DepthBook(scales)
        self.mirror = Mirror(account=players.maker, market=market, book=self.book)
        self.tally = Tally()

    def play(self, frame: Frame) -> None:
        """Raises ReplayRefused, DepthError, AmountError and what the exchange raises."""
        self.tally.frames += 1
        if isinstance(frame, DepthDiff | DepthSnapshot):
            self._outbox += self.mirror.follow(self.book.take(frame))
        elif isinstance(frame, TradePrint):
            order = self._taker_order(frame)
            self._foreseen.append(self.mirror.foresee(order))
            self._outbox.append(order)
        if len(self._outbox) >= SEND_AT:
            self.flush()

    def finish(self, open_orders: Callable[[], Iterable[OrderState]]) -> None:
        """Wait for all answers; then mend what the last prints took, and what others did unseen.

        `open_orders` asks the exchange for those of the maker.
        """
        self._settle()
        self._outbox += self.mirror.correct(open_orders())
        self._settle()

    def flush(self) -> None:
        """Send what has gathered."""
        wishes, self._outbox = self._outbox, []
        expires_at = self._now_ms() + ORDER_LIFETIME_MS
        commands: list[Command] = [
            PlaceOrder(wish, expires_at) if isinstance(wish, OrderTerms) else wish
            for wish in wishes
        ]
        for command, reply in self._exchange.send(commands):
            self._heed(command, reply)

    def _settle(self) -> None:
        self.flush()
        for command, reply in self._exchange.drain():
            self._heed(command, reply)

    def _taker_order(self, trade: TradePrint) -> OrderTerms:
        quantity = self._scales.quantity(trade.quantity)
        self.tally.prints += 1
        self.tally.recorded_quantity += quantity
        return OrderTerms(
            account=self._players.taker,
            market=self._market,
            side=SELL if trade.buyer_is_maker else BUY,
            type=LIMIT,
            time_in_force=IOC,
            price=self._scales.price(trade.price),
            quantity=quantity,
        )

    def _heed(self, command: Command, reply: Reply) -> None:
        if isinstance(command, CancelOrder):
            self.tally.cancels += 1
            # Somebody else may have taken the whole order: then there is nothing to cancel.
            if isinstance(reply, Refused) and reply.code is not Code.UNKNOWN_ORDER:
                raise _refused(command, reply)
            return
        assert isinstance(command, PlaceOrder)
        if not isinstance(reply, OrderReply):
            raise _refused(command, reply)
        self.tally.orders += 1
        self.tally.fills += len(reply.fills)
        if command.terms.account == self._players.maker:
            self.mirror.heed_own(reply)
        else:
            self.tally.traded_quantity += reply.order.executed_quantity
            self.mirror.heed_taker(self._foreseen.popleft(), reply)


def _refused(command: Command, reply: Reply) -> ReplayRefused:
    why = f"{reply.code.value}, {reply.detail}" if isinstance(reply, Refused) else f"{reply}"
    return ReplayRefused(f"the exchange refused {command}: {why}")
