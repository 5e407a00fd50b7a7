"""All feeds: journal entries go in, frames come out. Pure: no Redis, no clock."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from engine.core.events import (
    AssetDefined,
    DepthChanged,
    Event,
    MarketDefined,
    OrderUpdated,
    PhaseChanged,
    Traded,
)
from engine.journal import EncodedEntry
from engine.publisher.frames import Wire, encode
from engine.publisher.market import MarketFeed
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
from engine.publisher.user_events import OfAccount, Scales, user_events, write_user_event

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


class Untold(NamedTuple):
    """What a command brought at a time, of which its accounts have not been told yet."""

    events: list[Event]
    time: int


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
        self.untold: list[Untold] = []
        self.numbers: dict[int, int] = {}
        """The newest event of each account, where it is not stored yet."""

    def apply(self, entry: EncodedEntry, *, tell: bool = True) -> None:
        """Raises JournalGap. Without `tell` nobody will hear of what it brought."""
        if entry.sequence != self.state.sequence + 1:
            raise JournalGap(self.state.sequence, entry.sequence)
        for events in entry.decode_events():
            for event in events:
                self._apply_event(event, entry.time)
            if tell:
                self.untold.append(Untold(events, entry.time))
        self.state.sequence, self.state.time = entry.sequence, entry.time
        self.state.digest = entry.digest
        if not tell:
            self.tell_nothing()

    def _apply_event(self, event: Event, time: int) -> None:
        if isinstance(event, OrderUpdated):
            self.numbers[event.order.terms.account] = event.number
        elif isinstance(event, DepthChanged):
            self.markets[event.market].change_depth(event)
        elif isinstance(event, OfAccount):
            self.numbers[event.account] = event.number
        elif isinstance(event, Traded):
            self.markets[event.market].trade(event, time)
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
        for market in self.markets.values():
            market.pass_time(now)

    def batching(self) -> bool:
        """Whether depth changes wait for their time."""
        return any(
            market.number > batch.sent
            for market in self.markets.values()
            for batch in market.batches.values()
        )

    def optional_streams(self, speeds: frozenset[int]) -> list[str]:
        """Streams that would have a frame now, and that need none where nobody listens.

        Depth is not among them: whoever begins to listen in this moment takes a snapshot and must
        find its next event to be contiguous.
        """
        streams = {user_stream(account) for account in self.numbers} if self.untold else set()
        for market in self.markets.values():
            symbol = market.symbol
            if market.trades:
                streams |= {market_stream(symbol, "trade"), market_stream(symbol, "aggTrade")}
            if market.best != market.told_best:
                streams.add(market_stream(symbol, "bookTicker"))
            for speed in speeds:
                if market.partial[speed] < market.number:
                    streams |= {partial_stream(symbol, n, speed) for n in PARTIAL_LEVELS}
            streams |= {kline_stream(symbol, interval) for interval, _ in market.candles.closed}
            if SLOWEST_MS in speeds:
                streams |= {kline_stream(symbol, interval) for interval in market.candles.changed}
                if market.window.changed:
                    streams |= {market_stream(symbol, kind) for kind in ("ticker", "miniTicker")}
                    streams |= {TICKERS, MINI_TICKERS}
        return sorted(streams)

    def take_frames(
        self, now: int, speeds: frozenset[int], wanted: Callable[[str], bool]
    ) -> list[Frame]:
        """The frames that are due. Batches of other speeds go on waiting."""
        frames: list[Frame] = []
        for market in self.markets.values():
            wire = Wire(market)
            frames += self._trade_frames(market, wire, now, wanted)
            for speed in speeds:
                frames += self._depth_frames(market, wire, now, speed, wanted)
            frames += self._book_ticker_frames(market, wire, wanted)
            frames += self._kline_frames(market, wire, now, SLOWEST_MS in speeds, wanted)
        if SLOWEST_MS in speeds:
            frames += self._ticker_frames(now, wanted)
        frames += self._user_frames(now, wanted)
        return frames

    def _user_frames(self, now: int, wanted: Callable[[str], bool]) -> Iterator[Frame]:
        if not self.untold:
            return
        listening = {account for account in self.numbers if wanted(user_stream(account))}
        if listening:
            for events, time in self.untold:
                for told in user_events(events, time):
                    if told.account in listening:
                        text = write_user_event(told, now, self._scales)
                        yield Frame(user_stream(told.account), told.first, told.last, text)
        self.untold.clear()

    def _next_frame(self) -> int:
        self.state.frame += 1
        return self.state.frame

    @staticmethod
    def _trade_frames(
        market: MarketFeed, wire: Wire, now: int, wanted: Callable[[str], bool]
    ) -> Iterator[Frame]:
        for kind, write in (("trade", wire.trade), ("aggTrade", wire.aggregate_trade)):
            if wanted(stream := market_stream(market.symbol, kind)):
                for trade in market.trades:
                    number = trade.event.trade_id
                    yield Frame(stream, number, number, write(now, trade))
        market.trades.clear()

    def _depth_frames(
        self,
        market: MarketFeed,
        wire: Wire,
        now: int,
        speed: int,
        wanted: Callable[[str], bool],
    ) -> Iterator[Frame]:
        batch = market.batches[speed]
        if batch.sent < market.number:
            first, last = batch.sent + 1, market.number
            bids, asks = market.bids.levels(batch.bids), market.asks.levels(batch.asks)
            text = wire.depth_update(now, first, last, bids, asks)
            batch.close(last)
            market.dirty = True
            yield Frame(depth_stream(market.symbol, speed), first, last, text)
        if market.partial[speed] < market.number:
            market.partial[speed] = market.number
            for count in PARTIAL_LEVELS:
                if wanted(stream := partial_stream(market.symbol, count, speed)):
                    yield Frame(stream, 0, self._next_frame(), wire.partial_depth(count))

    def _book_ticker_frames(
        self, market: MarketFeed, wire: Wire, wanted: Callable[[str], bool]
    ) -> Iterator[Frame]:
        if market.best != market.told_best:
            market.told_best = market.best
            if wanted(stream := market_stream(market.symbol, "bookTicker")):
                yield Frame(stream, 0, self._next_frame(), wire.book_ticker())

    def _kline_frames(
        self,
        market: MarketFeed,
        wire: Wire,
        now: int,
        open_too: bool,
        wanted: Callable[[str], bool],
    ) -> Iterator[Frame]:
        candles = market.candles
        for interval, candle in candles.closed:
            if wanted(stream := kline_stream(market.symbol, interval)):
                yield Frame(stream, 0, self._next_frame(), wire.kline(now, interval, candle))
        candles.closed.clear()
        if open_too:
            for interval in candles.changed:
                if wanted(stream := kline_stream(market.symbol, interval)):
                    text = wire.kline(now, interval, candles.newest[interval])
                    yield Frame(stream, 0, self._next_frame(), text)
            candles.changed.clear()

    def _ticker_frames(self, now: int, wanted: Callable[[str], bool]) -> Iterator[Frame]:
        changed = [market for market in self.markets.values() if market.window.changed]
        tickers, minis = [], []
        for market in changed:
            market.window.changed = False
            day, wire = market.window.statistics(), Wire(market)
            tickers.append(ticker := wire.ticker(now, day))
            minis.append(mini := wire.mini_ticker(now, day))
            for kind, payload in (("ticker", ticker), ("miniTicker", mini)):
                if wanted(stream := market_stream(market.symbol, kind)):
                    yield Frame(stream, 0, self._next_frame(), encode(payload))
        for stream, payloads in ((TICKERS, tickers), (MINI_TICKERS, minis)):
            if payloads and wanted(stream):
                yield Frame(stream, 0, self._next_frame(), encode(payloads))


class JournalGap(Exception):
    """The journal does not go on where the feeds are."""

    def __init__(self, position: int, found: int) -> None:
        super().__init__(f"the feeds are at entry {position}, and the journal goes on at {found}")
