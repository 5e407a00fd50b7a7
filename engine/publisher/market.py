"""What the feeds know of one market, and how events change it."""

from typing import NamedTuple

import msgspec

from engine.core.events import DepthChanged, PhaseChanged, Traded
from engine.core.types import BUY, Phase, Side
from engine.intervals import Interval
from engine.publisher.book import Batch, BookSide
from engine.publisher.candles import LiveCandle, LiveCandles
from engine.publisher.statistics import DayWindow, Minute
from engine.publisher.streams import SPEEDS_MS


class MarketState(msgspec.Struct, array_like=True):
    """A market between two lives of the publisher, but for its levels and its minutes."""

    number: int
    batches: dict[int, tuple[int, list[int], list[int]]]
    """By speed: the last number told, and the prices of bids and asks that changed since."""
    partial: dict[int, int]
    best: tuple[int, int, int, int]
    last: tuple[int, int, int, int]
    """Price, quantity and id of the last trade, and the last price before the day's window."""
    candles: dict[str, LiveCandle]
    """Left out in the store, where they stand by themselves."""
    phase: Phase = Phase.OPEN


class NewTrade(NamedTuple):
    time: int
    event: Traded


class MarketFeed:
    """Amounts are integers of `base_scale` and `quote_scale` decimal places.

    What must be told waits in `trades`, `batches`, `candles` and `window`; what must be stored in
    `dirty_bids`, `dirty_asks`, `dirty`, `dirty_candles` and `window`.
    """

    def __init__(self, symbol: str, base_scale: int, quote_scale: int) -> None:
        self.symbol = symbol
        self.base_scale = base_scale
        self.quote_scale = quote_scale
        self.phase = Phase.OPEN
        self.number = 0
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.batches = {speed: Batch() for speed in SPEEDS_MS}
        self.partial = dict.fromkeys(SPEEDS_MS, 0)
        """The number of the partial books that were sent last."""
        self.told_best = (0, 0, 0, 0)
        self.candles = LiveCandles()
        self.window = DayWindow()
        self.trades: list[NewTrade] = []
        self.dirty = self.dirty_candles = True
        self.dirty_bids: set[int] = set()
        self.dirty_asks: set[int] = set()
        self._changed_bids: set[int] = set()
        self._changed_asks: set[int] = set()

    @property
    def best(self) -> tuple[int, int, int, int]:
        """Bid price, bid quantity, ask price, ask quantity; zeros for an empty side."""
        return self.bids.best() + self.asks.best()

    def change_depth(self, event: DepthChanged) -> None:
        assert event.number == self.number + 1, "the journal's depth has a gap"
        self.number = event.number
        if event.side is BUY:
            self.bids.set(event.price, event.quantity)
            self._changed_bids.add(event.price)
        else:
            self.asks.set(event.price, event.quantity)
            self._changed_asks.add(event.price)
        self.dirty = True

    def gather_changes(self) -> None:
        """Once for all the changes since the last time: what is to be stored, and what to tell."""
        self.dirty_bids |= self._changed_bids
        self.dirty_asks |= self._changed_asks
        for batch in self.batches.values():
            batch.bids |= self._changed_bids
            batch.asks |= self._changed_asks
        self._changed_bids.clear()
        self._changed_asks.clear()

    def trade(self, event: Traded, time: int) -> None:
        trade = (event.trade_id, time, event.price, event.quantity, event.quote_quantity)
        self.candles.add(*trade, event.taker_side is BUY)
        self.window.add(*trade)
        self.trades.append(NewTrade(time, event))
        self.dirty = self.dirty_candles = True

    def change_phase(self, event: PhaseChanged) -> None:
        self.phase = event.phase
        self.dirty = True

    def pass_time(self, now: int) -> None:
        """Close candles and forget minutes that have come to their end by `now`."""
        self.window.expire(now)
        if self.candles.close_until(now):
            self.dirty_candles = True

    def tell_nothing(self) -> None:
        """Whatever waits to be told is old: nobody is to hear of it any more."""
        self.gather_changes()
        for batch in self.batches.values():
            batch.close(self.number)
        self.partial = dict.fromkeys(SPEEDS_MS, self.number)
        self.told_best = self.best
        self.trades.clear()
        self.candles.told()
        self.dirty = self.dirty_candles = True

    @property
    def is_dirty(self) -> bool:
        """Whether anything is to be stored; else nothing happened, and nothing is due at once."""
        return self.dirty or self.dirty_candles or bool(self.window.expired)

    def stored(self) -> None:
        self.dirty = self.dirty_candles = False
        self.dirty_bids.clear()
        self.dirty_asks.clear()
        self.window.dirty.clear()
        self.window.expired.clear()

    def state(self) -> MarketState:
        window = self.window
        return MarketState(
            number=self.number,
            batches={
                speed: (batch.sent, list(batch.bids), list(batch.asks))
                for speed, batch in self.batches.items()
            },
            partial=self.partial,
            best=self.told_best,
            last=(window.last, window.last_quantity, window.last_id, window.before),
            candles={interval.value: c for interval, c in self.candles.newest.items()},
            phase=self.phase,
        )

    def restore(
        self,
        state: MarketState,
        bids: dict[int, int],
        asks: dict[int, int],
        minutes: list[Minute],
    ) -> None:
        self.phase = state.phase
        self.number = state.number
        self.bids, self.asks = BookSide(Side.BUY, bids), BookSide(Side.SELL, asks)
        for speed, (sent, bid_prices, ask_prices) in state.batches.items():
            batch = self.batches[speed] = Batch(sent)
            batch.bids.update(bid_prices)
            batch.asks.update(ask_prices)
        self.partial = state.partial
        self.told_best = state.best
        self.candles = LiveCandles({Interval(name): c for name, c in state.candles.items()})
        last, quantity, trade_id, before = state.last
        self.window = DayWindow(
            minutes, last=last, last_quantity=quantity, last_id=trade_id, before=before
        )
        # What was about to be told of these is told again; both are states, not changes.
        self.candles.changed.update(
            interval for interval, candle in self.candles.newest.items() if not candle.told_closed
        )
        self.window.changed = bool(last)
        self.dirty = self.dirty_candles = False
