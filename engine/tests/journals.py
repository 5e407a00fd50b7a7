"""Journals written by hand: complete events without an engine, for tests and benchmarks."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import redis

from engine.core.commands import Deposit, OrderTerms
from engine.core.events import (
    AccountConfigured,
    AssetDefined,
    Deposited,
    Event,
    FeesSet,
    MarketDefined,
    NotionalLimited,
    OrderListUpdated,
    OrderState,
    OrderUpdated,
    PhaseChanged,
    Traded,
    Transferred,
    WithdrawalUpdated,
)
from engine.core.types import (
    MAX_AMOUNT,
    Change,
    ListStatus,
    OrderStatus,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    WithdrawalStatus,
)
from engine.journal import JOURNAL_KEY, EncodedEntry

START_MS = 1_760_000_000_000
MAKER_FEE_PPM = 1_000
TAKER_FEE_PPM = 2_000


def market_defined(symbol: str, base: str, quote: str, *, tick: int = 1) -> MarketDefined:
    return MarketDefined(
        symbol=symbol,
        base=base,
        quote=quote,
        tick=tick,
        step=1_000,
        min_quantity=1_000,
        max_quantity=10**15,
        min_notional=1,
        band_down_ppm=200_000,
        band_up_ppm=5_000_000,
        maker_fee_ppm=MAKER_FEE_PPM,
        taker_fee_ppm=TAKER_FEE_PPM,
        max_notional=MAX_AMOUNT,
        max_open_orders=None,
        max_conditional_orders=None,
        trigger_band_ppm=50_000,
        guard_ppm=None,
        guard_window_ms=10_000,
        guard_pause_ms=60_000,
    )


@dataclass
class JournalWriter:
    """Collects events; `commit` makes an entry of them. BTC has 8 places here, USDT 6."""

    time: int = START_MS
    sequence: int = 0
    entries: list[EncodedEntry] = field(default_factory=list)
    orders: dict[int, OrderState] = field(default_factory=dict)
    trade_ids: dict[str, int] = field(default_factory=dict)
    events: list[list[Event]] = field(default_factory=list)

    def define(self) -> None:
        self.emit(AssetDefined("BTC", 8))
        self.emit(AssetDefined("USDT", 6))
        self.emit(AssetDefined("ETH", 8))
        self.emit(market_defined("BTCUSDT", "BTC", "USDT", tick=100_000))
        self.emit(market_defined("ETHBTC", "ETH", "BTC", tick=100_000))

    def emit(self, *events: Event) -> None:
        """What one command brought."""
        self.events.append(list(events))

    def deposit(self, account: int, asset: str, amount: int, key: str) -> None:
        self.emit(Deposited(1, account, asset, amount, key))

    def place(
        self,
        account: int,
        side: Side,
        price: int,
        quantity: int,
        *,
        market: str = "BTCUSDT",
        client_order_id: str | None = None,
    ) -> int:
        """A limit order that rests; its id."""
        terms = OrderTerms(
            account=account,
            market=market,
            side=side,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            price=price,
            quantity=quantity,
            client_order_id=client_order_id,
        )
        order_id = len(self.orders) + 1
        order = OrderState(
            order_id, terms, OrderStatus.NEW, 0, 0, 0, self.time, self.time, self.time, None
        )
        self.orders[order_id] = order
        self.emit(OrderUpdated(1, Change.ACCEPTED, order))
        return order_id

    def cancel(self, order_id: int) -> None:
        order = msgspec.structs.replace(
            self.orders[order_id], status=OrderStatus.CANCELED, updated_at=self.time
        )
        self.orders[order_id] = order
        self.emit(OrderUpdated(1, Change.CANCELED, order))

    def trade(self, maker_id: int, taker_id: int, quantity: int) -> Traded:
        """Two standing orders meet at the maker's price."""
        maker, taker = self.orders[maker_id].terms, self.orders[taker_id].terms
        price = maker.price or 0
        quote_quantity = price * quantity // 10**8
        for order_id in (maker_id, taker_id):
            self._fill(order_id, quantity, quote_quantity)
        taker_buys = taker.side is Side.BUY
        buy_id, sell_id = (taker_id, maker_id) if taker_buys else (maker_id, taker_id)
        self.trade_ids[maker.market] = self.trade_ids.get(maker.market, 0) + 1
        traded = Traded(
            market=maker.market,
            trade_id=self.trade_ids[maker.market],
            price=price,
            quantity=quantity,
            quote_quantity=quote_quantity,
            taker_side=taker.side,
            buyer=self.orders[buy_id].terms.account,
            seller=self.orders[sell_id].terms.account,
            buy_order_id=buy_id,
            sell_order_id=sell_id,
            buyer_fee=_fee(quantity, TAKER_FEE_PPM if taker_buys else MAKER_FEE_PPM),
            seller_fee=_fee(quote_quantity, MAKER_FEE_PPM if taker_buys else TAKER_FEE_PPM),
        )
        self.emit(
            OrderUpdated(1, Change.TRADED, self.orders[maker_id]),
            OrderUpdated(1, Change.TRADED, self.orders[taker_id]),
            traded,
        )
        return traded

    def _fill(self, order_id: int, quantity: int, quote_quantity: int) -> None:
        order = self.orders[order_id]
        executed = order.executed_quantity + quantity
        self.orders[order_id] = msgspec.structs.replace(
            order,
            status=OrderStatus.FILLED
            if executed == order.terms.quantity
            else OrderStatus.PARTIALLY_FILLED,
            executed_quantity=executed,
            executed_quote_quantity=order.executed_quote_quantity + quote_quantity,
            updated_at=self.time,
        )

    def commit(self, *, after_ms: int = 1_000) -> EncodedEntry:
        """The events so far as the next entry; the clock then moves on."""
        self.sequence += 1
        events = msgspec.json.encode(self.events)
        entry = EncodedEntry(
            sequence=self.sequence,
            epoch=1,
            core=1,
            time=self.time,
            # Nothing here replays; the archive only has to give them back as they were.
            commands=msgspec.json.encode([Deposit(1, "BTC", self.sequence, f"d{self.sequence}")]),
            events=events,
            digest=hashlib.sha256(events).hexdigest(),
        )
        self.entries.append(entry)
        self.events = []
        self.time += after_ms
        return entry


def _fee(received: int, ppm: int) -> int:
    return -(-received * ppm // 1_000_000)


def small_journal() -> list[EncodedEntry]:
    """Six entries with two trades, a partly filled order, a cancelled and an open one."""
    journal = JournalWriter()
    journal.define()
    journal.deposit(1, "BTC", 5 * 10**8, "first")
    journal.deposit(2, "USDT", 10**12, "second")
    journal.commit()
    sell = journal.place(1, Side.SELL, 50_000_000_000, 2 * 10**8, client_order_id="ask")
    journal.commit()
    buy = journal.place(2, Side.BUY, 50_000_000_000, 150_000_000)
    journal.trade(sell, buy, 100_000_000)
    journal.trade(sell, buy, 50_000_000)
    journal.commit()
    spare = journal.place(2, Side.BUY, 49_000_000_000, 10**8, client_order_id="bid")
    journal.commit()
    journal.cancel(spare)
    journal.commit()
    journal.place(2, Side.BUY, 48_000_000_000, 10**8, client_order_id="bid")
    journal.commit()
    return journal.entries


def operators_journal() -> list[EncodedEntry]:
    """Two entries: everything that operators decide, and money that moves without a trade."""
    journal = JournalWriter()
    journal.define()
    journal.deposit(1, "BTC", 5 * 10**8, "first")
    journal.emit(PhaseChanged("BTCUSDT", Phase.PRE_OPEN, START_MS + 60_000))
    journal.emit(FeesSet("BTCUSDT", 1, -100, 500))
    journal.emit(AccountConfigured(1, 1, 7, False, True))
    journal.emit(NotionalLimited(1, "USDT", 5_000_000))
    journal.commit()
    journal.emit(
        Transferred(2, 1, 2, "BTC", -(10**8), "gift"), Transferred(1, 2, 1, "BTC", 10**8, "gift")
    )
    for status in (WithdrawalStatus.RESERVED, WithdrawalStatus.SETTLED):
        journal.emit(WithdrawalUpdated(3, 1, 1, "BTC", 2 * 10**8, status, "out"))
    for status in (WithdrawalStatus.RESERVED, WithdrawalStatus.RELEASED):
        journal.emit(WithdrawalUpdated(4, 1, 2, "BTC", 10**8, status, "stays"))
    journal.emit(PhaseChanged("BTCUSDT", Phase.OPEN, None))
    journal.emit(AccountConfigured(1, 2, None, True, False))
    journal.emit(OrderListUpdated(5, 1, 1, "BTCUSDT", "oco", ListStatus.DONE, (8, 9), START_MS))
    journal.commit()
    return journal.entries


def append(connection: "redis.Redis", entries: list[EncodedEntry]) -> None:
    pipeline = connection.pipeline(transaction=False)
    for entry in entries:
        fields: dict[Any, Any] = {**entry.fields()}
        pipeline.xadd(JOURNAL_KEY, fields, id=f"{entry.sequence}-0")
    pipeline.execute()
