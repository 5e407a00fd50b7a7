"""The phases of a market, and what moves it from one to the next."""

from engine.core.auctions import Auctions
from engine.core.commands import SetPhase
from engine.core.deadlines import Deadline, Deadlines, Kind
from engine.core.events import Event, PhaseChanged
from engine.core.markets import Market, Markets
from engine.core.rejections import Code
from engine.core.replies import Done, Refused
from engine.core.types import HALTED, MAX_AMOUNT, MAX_EVENTS, OPEN, POST_ONLY, PRE_OPEN, Phase


def can_trade(market: Market) -> bool:
    return market.phase is OPEN and market.clearing_price is None


def check_cancel(market: Market) -> Refused | None:
    if market.phase is HALTED or market.clearing_price is not None:
        return Refused(Code.PHASE_FORBIDS, "the market is halted, or an auction is going on")
    return None


class Phases:
    """Moves markets between phases, through an auction where the book is crossed."""

    def __init__(
        self, markets: Markets, auctions: Auctions, deadlines: Deadlines, events: list[Event]
    ) -> None:
        self._markets = markets
        self._auctions = auctions
        self._deadlines = deadlines
        self._events = events
        self._uncrossing: dict[str, Market] = {}
        """Markets whose auction goes on with the next tick."""

    @property
    def is_uncrossing(self) -> bool:
        return bool(self._uncrossing)

    def set(self, command: SetPhase, now: int) -> Done | Refused:
        market = self._markets.get(command.market)
        if market is None:
            return Refused(Code.UNKNOWN_MARKET, f"there is no market {command.market[:20]}")
        if market.clearing_price is not None:
            return Refused(Code.PHASE_FORBIDS, "an auction is going on")
        until = command.until
        if until is not None and (command.phase is not PRE_OPEN or not now < until <= MAX_AMOUNT):
            return Refused(Code.INVALID_PHASE, "only a call ends by itself, at a time to come")
        self._deadlines.discard(_end_of_call(market))
        self._move(market, command.phase, until, now)
        return Done()

    def pause(self, market: Market, now: int) -> None:
        """The volatility guard calls an auction."""
        self._enter(market, PRE_OPEN, now + market.rules.guard_pause_ms)

    def end_call(self, symbol: str, now: int) -> None:
        """The time has come at which the market opens by itself."""
        market = self._markets.get(symbol)
        assert market is not None
        if market.clearing_price is None:
            self._move(market, OPEN, None, now)

    def go_on(self, now: int) -> None:
        """Continue the auctions that were too long for one tick."""
        for symbol in sorted(self._uncrossing):
            if len(self._events) >= MAX_EVENTS:
                return
            self._uncross(self._uncrossing.pop(symbol), now)

    def resume(self, market: Market) -> None:
        """An auction was going on when the snapshot was taken."""
        self._uncrossing[market.symbol] = market

    def _move(self, market: Market, phase: Phase, until: int | None, now: int) -> None:
        if phase in (OPEN, POST_ONLY) and market.book.is_crossed:
            market.next_phase = phase
            self._uncross(market, now)
        else:
            self._enter(market, phase, until)

    def _uncross(self, market: Market, now: int) -> None:
        if self._auctions.uncross(market, now):
            self._enter(market, market.next_phase, None)
        else:
            self._uncrossing[market.symbol] = market

    def _enter(self, market: Market, phase: Phase, until: int | None) -> None:
        market.phase = phase
        if until is not None:
            self._deadlines.set(_end_of_call(market), until)
        self._events.append(PhaseChanged(market.symbol, phase, until))


def _end_of_call(market: Market) -> Deadline:
    return Deadline(Kind.CALL_ENDS, 0, market.symbol, 0)
