"""All feeds: journal entries go in, frames come out. Pure: no Redis, no clock."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import msgspec

from engine.core.events import (
    AssetDefined,
    DepthChanged,
    MarketDefined,
    OrderListUpdated,
    PhaseChanged,
    Traded,
)
from engine.intervals import SECOND
from engine.journal import EncodedEntry
from engine.publisher.frames import Wire, encode
from engine.publisher.market import MarketFeed, NewTrade
from engine.publisher.seen import OfAccount, OrderSeen, Seen, read_events
from engine.publisher.streams import (
    MINI_TICKERS,
    PARTIAL_LEVELS,
    SPEEDS_MS,
    TICKERS,
    depth_stream,
    kline_stream,
    market_stream,
    partial_stream,
    user_stream,
)
from engine.publisher.user_events import (
    Scales,
    UserEvent,
    user_events,
    write_user_event,
)

SLOWEST_MS = max(SPEEDS_MS)


class Frame(NamedTuple):
    """Wire text for a stream. `first` to `last` are the numbers that it covers.

    Frames of a stream come with growing `last`; where `first` is not 0, it is one more than the
    `last` before it.
    """

    stream: str
    first: int
    last: int
    text: str


class Due(NamedTuple):
    """What a stream is told now: `write` makes it, until the next entry is applied.

    Without `is_optional` it must leave whoever listens: whoever begins to listen to depth in this
    moment takes a snapshot, and must find its next event to be contiguous.
    """

    stream: str
    write: Callable[[], Iterable[Frame]]
    is_optional: bool = True


class FeedsState(msgspec.Struct, array_like=True):
    """What is not of one market: the position in the journal, the definitions, the counter."""

    sequence: int = 0
    time: int = 0
    frame: int = 0
    scales: dict[str, int] = msgspec.field(default_factory=dict)
    pairs: dict[str, tuple[str, str]] = msgspec.field(default_factory=dict)
    """Base and quote asset by market."""
    digest: str = ""
    """Of the entry `sequence`; empty where it is not known."""


def state_scales(state: FeedsState) -> Scales:
    def of_market(symbol: str) -> tuple[int, int]:
        base, quote = state.pairs[symbol]
        return state.scales[base], state.scales[quote]

    return Scales(state.scales.__getitem__, of_market)


class Feeds:
    def __init__(self, state: FeedsState | None = None) -> None:
        self.state = state or FeedsState()
        self._scales = state_scales(self.state)
        self.markets: dict[str, MarketFeed] = {
            symbol: self._market(symbol) for symbol in self.state.pairs
        }
        self.untold: list[EncodedEntry] = []
        """Entries of which the accounts have not been told yet."""
        self._second = 0
        self.numbers: dict[int, int] = {}
        """The newest event of each account, where it is not stored yet."""

    def apply(self, entry: EncodedEntry, *, tell: bool = True) -> None:
        """Raises JournalGap. Without `tell` nobody will hear of what it brought."""
        if entry.sequence != self.state.sequence + 1:
            raise JournalGap(self.state.sequence, entry.sequence)
        for events in read_events(entry):
            for event in events:
                self._apply_event(event, entry.time)
        self.state.sequence, self.state.time = entry.sequence, entry.time
        self.state.digest = entry.digest
        if tell:
            self.untold.append(entry)
        else:
            self.tell_nothing()

    def _apply_event(self, event: Seen, time: int) -> None:
        if isinstance(event, DepthChanged):
            self.markets[event.market].change_depth(event)
        elif isinstance(event, OfAccount):
            self.numbers[event.account] = event.number
        elif isinstance(event, OrderSeen):
            self.numbers[event.order.terms.account] = event.number
        elif isinstance(event, Traded):
            self.markets[event.market].trade(event, time)
        elif isinstance(event, OrderListUpdated):
            self.numbers[event.account] = event.number
        elif isinstance(event, PhaseChanged):
            self.markets[event.market].change_phase(event)
        elif isinstance(event, AssetDefined):
            self.state.scales[event.symbol] = event.scale
        elif isinstance(event, MarketDefined) and event.symbol not in self.markets:
            self.state.pairs[event.symbol] = (event.base, event.quote)
            self.markets[event.symbol] = self._market(event.symbol)

    def _market(self, symbol: str) -> MarketFeed:
        return MarketFeed(symbol, *self._scales.market(symbol))

    def tell_nothing(self) -> None:
        self.untold.clear()
        for market in self.markets.values():
            market.tell_nothing()
            market.window.changed = False

    def pass_time(self, now: int) -> None:
        """Candles end with a second, and days with a minute."""
        if now // SECOND == self._second:
            return
        self._second = now // SECOND
        for market in self.markets.values():
            market.pass_time(now)

    def batching(self) -> bool:
        """Whether depth changes wait for their time."""
        return any(
            market.number > batch.sent
            for market in self.markets.values()
            for batch in market.batches.values()
        )

    def take_due(self, now: int, speeds: frozenset[int]) -> list[Due]:
        """All that is due. Batches of other speeds go on waiting."""
        due: list[Due] = []
        for market in self.markets.values():
            if not speeds and not market.is_dirty:
                continue
            market.gather_changes()
            due += self._trades_due(market, now)
            for speed in speeds:
                due += self._depth_due(market, now, speed)
            due += self._book_ticker_due(market)
            due += self._klines_due(market, now, SLOWEST_MS in speeds)
        if SLOWEST_MS in speeds:
            due += self._tickers_due(now)
        due += self._user_events_due(now)
        return due

    def _numbered(self, stream: str, write: Callable[[], str]) -> Due:
        """One frame that stands for itself."""

        def frames() -> Iterator[Frame]:
            self.state.frame += 1
            yield Frame(stream, 0, self.state.frame, write())

        return Due(stream, frames)

    def _user_events_due(self, now: int) -> Iterator[Due]:
        untold, self.untold = self.untold, []
        if not untold:
            return
        told: dict[int, list[UserEvent]] = {}

        def write(account: int) -> Iterator[Frame]:
            if not told:
                for entry in untold:
                    for event in _user_events(entry):
                        told.setdefault(event.account, []).append(event)
            for event in told.get(account, ()):
                text = write_user_event(event, now, self._scales)
                yield Frame(user_stream(account), event.first, event.last, text)

        for account in self.numbers:
            yield Due(user_stream(account), partial(write, account))

    @staticmethod
    def _trades_due(market: MarketFeed, now: int) -> Iterator[Due]:
        trades, market.trades = market.trades, []
        if not trades:
            return
        wire = Wire(market)
        for kind, write in (("trade", wire.trade), ("aggTrade", wire.aggregate_trade)):
            stream = market_stream(market.symbol, kind)
            yield Due(stream, partial(_write_trades, stream, trades, write, now))

    def _depth_due(self, market: MarketFeed, now: int, speed: int) -> Iterator[Due]:
        batch, wire = market.batches[speed], Wire(market)
        if batch.sent < market.number:
            first, last = batch.sent + 1, market.number
            bids, asks = market.bids.levels(batch.bids), market.asks.levels(batch.asks)
            batch.close(last)
            market.dirty = True
            stream = depth_stream(market.symbol, speed)
            frame = Frame(stream, first, last, wire.depth_update(now, first, last, bids, asks))
            yield Due(stream, partial(iter, (frame,)), is_optional=False)
        if market.partial[speed] < market.number:
            market.partial[speed] = market.number
            for count in PARTIAL_LEVELS:
                stream = partial_stream(market.symbol, count, speed)
                yield self._numbered(stream, partial(wire.partial_depth, count))

    def _book_ticker_due(self, market: MarketFeed) -> Iterator[Due]:
        best = market.best
        if best != market.told_best:
            market.told_best = best
            stream = market_stream(market.symbol, "bookTicker")
            yield self._numbered(stream, Wire(market).book_ticker)

    def _klines_due(self, market: MarketFeed, now: int, open_too: bool) -> Iterator[Due]:
        candles, wire = market.candles, Wire(market)
        told = list(candles.closed)
        candles.closed.clear()
        if open_too:
            told += ((interval, candles.newest[interval]) for interval in candles.changed)
            candles.changed.clear()
        for interval, candle in told:
            stream = kline_stream(market.symbol, interval)
            yield self._numbered(stream, partial(wire.kline, now, interval, candle))

    def _tickers_due(self, now: int) -> Iterator[Due]:
        changed = [market for market in self.markets.values() if market.window.changed]
        if not changed:
            return

        @cache
        def payload(market: MarketFeed, kind: str) -> dict[str, Any]:
            day, wire = market.window.statistics(), Wire(market)
            return wire.ticker(now, day) if kind == "ticker" else wire.mini_ticker(now, day)

        def write_one(market: MarketFeed, kind: str) -> str:
            return encode(payload(market, kind))

        def write_all(kind: str) -> str:
            return encode([payload(market, kind) for market in changed])

        for kind, stream_of_all in (("ticker", TICKERS), ("miniTicker", MINI_TICKERS)):
            for market in changed:
                market.window.changed = False
                stream = market_stream(market.symbol, kind)
                yield self._numbered(stream, partial(write_one, market, kind))
            yield self._numbered(stream_of_all, partial(write_all, kind))


def _user_events(entry: EncodedEntry) -> Iterator[UserEvent]:
    for events in entry.decode_events():
        yield from user_events(events, entry.time)


def _write_trades(
    stream: str, trades: list[NewTrade], write: Callable[[int, NewTrade], str], now: int
) -> Iterator[Frame]:
    for trade in trades:
        number = trade.event.trade_id
        yield Frame(stream, number, number, write(now, trade))


class JournalGap(Exception):
    """The journal does not go on where the feeds are."""

    def __init__(self, position: int, found: int) -> None:
        super().__init__(f"the feeds are at entry {position}, and the journal goes on at {found}")
