"""The feeds' state at one journal entry, as a snapshot carries it.

A publisher goes on from its own store; where that was lost, it goes on from here. Pure.
"""

from collections.abc import Iterable

import msgspec

from engine.core.answers import answer
from engine.core.engine import Engine
from engine.core.events import Event, Traded
from engine.core.queries import GetDepth
from engine.core.replies import DepthReply
from engine.core.types import BUY
from engine.intervals import Interval
from engine.publisher.candles import LiveCandles
from engine.publisher.feeds import Feeds, FeedsState
from engine.publisher.market import MarketState
from engine.publisher.statistics import DayWindow, Minute
from engine.publisher.streams import SPEEDS_MS

ALL_LEVELS = 2**31 - 1

Levels = tuple[tuple[int, int], ...]
"""`(price, quantity)`, best first."""


class MarketRecord(msgspec.Struct, frozen=True, array_like=True):
    symbol: str
    state: MarketState
    bids: Levels
    asks: Levels
    minutes: list[Minute]


class FeedsRecord(msgspec.Struct, frozen=True, array_like=True):
    state: FeedsState
    markets: list[MarketRecord]
    numbers: dict[int, int] = msgspec.field(default_factory=dict)
    """The newest event of each account."""


class Trading:
    """The candles and the day of each market that has traded, as the trades come."""

    def __init__(self, record: FeedsRecord | None = None) -> None:
        self._markets: dict[str, tuple[LiveCandles, DayWindow]] = {}
        for market in record.markets if record is not None else ():
            last, quantity, trade_id, before = market.state.last
            self._markets[market.symbol] = (
                LiveCandles({Interval(name): c for name, c in market.state.candles.items()}),
                DayWindow(
                    market.minutes,
                    last=last,
                    last_quantity=quantity,
                    last_id=trade_id,
                    before=before,
                ),
            )

    def apply(self, event_lists: Iterable[Iterable[Event]], time: int) -> None:
        """The events of one journal entry."""
        traded = set()
        for events in event_lists:
            for event in events:
                if type(event) is Traded:
                    self._trade(event, time)
                    traded.add(event.market)
        for symbol in traded:
            candles, window = self.of(symbol)
            candles.told()
            window.expire(time)
            window.dirty.clear()
            window.expired.clear()

    def _trade(self, event: Traded, time: int) -> None:
        candles, window = self.of(event.market)
        trade = (event.trade_id, time, event.price, event.quantity, event.quote_quantity)
        candles.add(*trade, event.taker_side is BUY)
        window.add(*trade)

    def of(self, symbol: str) -> tuple[LiveCandles, DayWindow]:
        """Empty ones where the market has never traded."""
        found = self._markets.get(symbol)
        if found is None:
            found = self._markets[symbol] = (LiveCandles(), DayWindow())
        return found


def record_feeds(engine: Engine, trading: Trading, sequence: int, digest: str) -> FeedsRecord:
    """The feeds as they are after the entry `sequence`, with nothing left to tell."""
    state = FeedsState(sequence=sequence, time=engine.time, digest=digest)
    state.scales = {asset.symbol: asset.scale for asset in engine.markets.assets.values()}
    markets = []
    for market in engine.markets:
        symbol = market.rules.symbol
        state.pairs[symbol] = (market.base, market.quote)
        depth = answer(engine, GetDepth(symbol, ALL_LEVELS), sequence)
        assert isinstance(depth, DepthReply)
        markets.append(_record_market(depth, *trading.of(symbol)))
    numbers = {account.number: account.event_number for account in engine.accounts}
    return FeedsRecord(state, markets, numbers)


def _record_market(depth: DepthReply, candles: LiveCandles, window: DayWindow) -> MarketRecord:
    best_bid, best_ask = (side[0] if side else (0, 0) for side in (depth.bids, depth.asks))
    state = MarketState(
        number=depth.number,
        batches={speed: (depth.number, [], []) for speed in SPEEDS_MS},
        partial=dict.fromkeys(SPEEDS_MS, depth.number),
        best=(*best_bid, *best_ask),
        last=(window.last, window.last_quantity, window.last_id, window.before),
        candles={interval.value: candle for interval, candle in candles.newest.items()},
        phase=depth.phase,
    )
    return MarketRecord(depth.market, state, depth.bids, depth.asks, list(window.minutes))


def restore_feeds(record: FeedsRecord) -> Feeds:
    """Feeds that go on after the record's entry, and tell nothing of what was before."""
    feeds = Feeds(record.state)
    feeds.numbers = dict(record.numbers)
    for market in record.markets:
        feeds.markets[market.symbol].restore(
            market.state, dict(market.bids), dict(market.asks), market.minutes
        )
    feeds.tell_nothing()
    return feeds
