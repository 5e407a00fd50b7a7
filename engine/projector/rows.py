"""Which rows a run of journal entries means. Pure: no database, no clock.

A row's fields are named and ordered like the columns of its table. Amounts are decimal text in
units of their asset, times ISO text: what COPY takes, and as exact as the journal's integers.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from engine.amounts import format_amount
from engine.archive import compress
from engine.core.events import (
    AccountConfigured,
    AssetDefined,
    BalanceChanged,
    Deposited,
    DepthChanged,
    Event,
    FeesSet,
    MarketDefined,
    NotionalLimited,
    OrderListUpdated,
    OrderUpdated,
    PhaseChanged,
    Rejected,
    TimerSet,
    Traded,
    Transferred,
    WithdrawalUpdated,
)
from engine.core.types import MAX_AMOUNT, Change
from engine.journal import EncodedEntry
from engine.projector.postings import (
    Posting,
    postings_of_deposit,
    postings_of_trade,
    postings_of_transfer,
    postings_of_withdrawal,
)
from engine.times import to_datetime

_WITHOUT_ROWS: Final = frozenset((DepthChanged, BalanceChanged, TimerSet, Rejected))


class AssetRow(NamedTuple):
    symbol: str
    scale: int


class MarketRow(NamedTuple):
    symbol: str
    base_id: str
    quote_id: str
    tick: str
    step: str
    min_quantity: str
    max_quantity: str
    min_notional: str
    band_down_ppm: int
    band_up_ppm: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    max_notional: str | None
    max_open_orders: int | None
    max_conditional_orders: int | None
    trigger_band_ppm: int
    guard_ppm: int | None
    guard_window_ms: int
    guard_pause_ms: int
    sequence: int


class PhaseRow(NamedTuple):
    """A part of a market's row."""

    symbol: str
    phase: str
    phase_until: str | None
    phase_sequence: int


class FeesRow(NamedTuple):
    market_id: str
    tier: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    sequence: int


class AccountRow(NamedTuple):
    account: int
    tier: int
    trade_group: int | None
    frozen: bool
    unlimited_orders: bool
    sequence: int


class NotionalLimitRow(NamedTuple):
    account: int
    asset: str
    amount: str | None
    sequence: int


class OrderRow(NamedTuple):
    order_id: int
    account: int
    market_id: str
    client_order_id: str | None
    side: str
    type: str
    time_in_force: str
    price: str | None
    quantity: str | None
    quote_quantity: str | None
    post_only: bool
    good_till: str | None
    stop_price: str | None
    trailing_delta: int | None
    visible_quantity: str | None
    self_trade_prevention: str
    status: str
    executed_quantity: str
    executed_quote_quantity: str
    prevented_quantity: str
    change: str
    list_id: int | None
    working_since: str | None
    created_at: str
    updated_at: str
    sequence: int


class OrderListRow(NamedTuple):
    list_id: int
    account: int
    market_id: str
    client_list_id: str | None
    status: str
    order_ids: list[int]
    updated_at: str
    sequence: int


class TradeRow(NamedTuple):
    market_id: str
    trade_id: int
    time: str
    sequence: int
    price: str
    quantity: str
    quote_quantity: str
    taker_side: str
    buyer: int
    seller: int
    buy_order_id: int
    sell_order_id: int
    buyer_fee: str
    seller_fee: str


class LedgerRow(NamedTuple):
    sequence: int
    position: int
    time: str
    account_kind: str
    account: int | None
    asset: str
    amount: str
    kind: str
    reference: str


class ArchiveRow(NamedTuple):
    sequence: int
    time: str
    epoch: int
    core: int
    commands: bytes
    events: bytes
    digest: str


class Pair(NamedTuple):
    """The two assets of a market and their scales: what its integers mean."""

    base: str
    quote: str
    base_scale: int
    quote_scale: int


class Rows:
    """The rows of journal entries, added in order.

    `scales` and `pairs` are the assets and markets known before the first entry; definitions
    among the entries are added to them. Of what has a state only the last one is kept.
    """

    def __init__(
        self, scales: Mapping[str, int] | None = None, pairs: Mapping[str, Pair] | None = None
    ) -> None:
        self.scales = dict(scales or {})
        self.pairs = dict(pairs or {})
        self.assets: dict[str, AssetRow] = {}
        self.markets: dict[str, MarketRow] = {}
        self.trades: list[TradeRow] = []
        self.ledger: list[LedgerRow] = []
        self.archive: list[ArchiveRow] = []
        self.phases: dict[str, PhaseRow] = {}
        self.fees: dict[tuple[str, int], FeesRow] = {}
        self.accounts: dict[int, AccountRow] = {}
        self.notional_limits: dict[tuple[int, str], NotionalLimitRow] = {}
        self.order_lists: dict[int, OrderListRow] = {}
        self._accepted: dict[int, tuple[OrderUpdated, int]] = {}
        self._changed: dict[int, tuple[OrderUpdated, int]] = {}
        self._position = 0

    @property
    def accepted_orders(self) -> list[OrderRow]:
        """Orders that came among these entries."""
        return self._order_rows(self._accepted)

    @property
    def changed_orders(self) -> list[OrderRow]:
        """Orders of entries before these."""
        return self._order_rows(self._changed)

    def add(self, entry: EncodedEntry) -> None:
        """Raises msgspec.ValidationError where the entry is of another format."""
        self.archive.append(_archive_row(entry))
        self._position = 0
        time = timestamp(entry.time)
        for events in entry.decode_events():
            for event in events:
                if type(event) not in _WITHOUT_ROWS:
                    self._add_event(event, entry.sequence, time)

    def _add_event(self, event: Event, sequence: int, time: str) -> None:
        if type(event) in _WITHOUT_ROWS:
            return
        if isinstance(event, OrderUpdated):
            order_id = event.order.order_id
            if event.change is Change.ACCEPTED or order_id in self._accepted:
                self._accepted[order_id] = (event, sequence)
            else:
                self._changed[order_id] = (event, sequence)
        elif isinstance(event, Traded):
            pair = self.pairs[event.market]
            self.trades.append(_trade_row(event, pair, sequence, time))
            self._add_postings(postings_of_trade(event, pair.base, pair.quote), sequence, time)
        elif isinstance(event, Deposited):
            self._add_postings(postings_of_deposit(event), sequence, time)
        elif isinstance(event, OrderListUpdated):
            self.order_lists[event.list_id] = _order_list_row(event, sequence)
        elif isinstance(event, Transferred):
            self._add_postings(postings_of_transfer(event), sequence, time)
        elif isinstance(event, WithdrawalUpdated):
            self._add_postings(postings_of_withdrawal(event), sequence, time)
        else:
            self._add_definition(event, sequence)

    def _add_definition(self, event: Event, sequence: int) -> None:
        """What operators decided."""
        if isinstance(event, AssetDefined):
            self.scales[event.symbol] = event.scale
            self.assets[event.symbol] = AssetRow(clean(event.symbol), event.scale)
        elif isinstance(event, MarketDefined):
            self._define_market(event, sequence)
        elif isinstance(event, PhaseChanged):
            until = _optional_time(event.until)
            row = PhaseRow(event.market, event.phase.value, until, sequence)
            self.phases[event.market] = row
        elif isinstance(event, FeesSet):
            key = (event.market, event.tier)
            self.fees[key] = FeesRow(*key, event.maker_fee_ppm, event.taker_fee_ppm, sequence)
        elif isinstance(event, AccountConfigured):
            self.accounts[event.account] = _account_row(event, sequence)
        elif isinstance(event, NotionalLimited):
            amount = _optional(event.amount, self.scales[event.asset])
            limit = NotionalLimitRow(event.account, event.asset, amount, sequence)
            self.notional_limits[event.account, event.asset] = limit

    def _define_market(self, event: MarketDefined, sequence: int) -> None:
        pair = Pair(event.base, event.quote, self.scales[event.base], self.scales[event.quote])
        self.pairs[event.symbol] = pair
        self.markets[event.symbol] = _market_row(event, pair, sequence)

    def _add_postings(self, postings: Iterable[Posting], sequence: int, time: str) -> None:
        scales, ledger = self.scales, self.ledger
        for kind, account_kind, account, asset, amount, reference in postings:
            scale = scales[asset]
            text = (
                decimal_text(amount, scale) if amount >= 0 else "-" + decimal_text(-amount, scale)
            )
            ledger.append(
                LedgerRow(
                    sequence,
                    self._position,
                    time,
                    account_kind,
                    account,
                    asset,
                    text,
                    kind,
                    clean(reference),
                )
            )
            self._position += 1

    def _order_rows(self, orders: Mapping[int, tuple[OrderUpdated, int]]) -> list[OrderRow]:
        return [self._order_row(event, sequence) for event, sequence in orders.values()]

    def _order_row(self, event: OrderUpdated, sequence: int) -> OrderRow:
        order, terms = event.order, event.order.terms
        _, _, base, quote = self.pairs[terms.market]
        return OrderRow(
            order.order_id,
            terms.account,
            terms.market,
            _optional_text(terms.client_order_id),
            terms.side.value,
            terms.type.value,
            terms.time_in_force.value,
            _optional(terms.price, quote),
            _optional(terms.quantity, base),
            _optional(terms.quote_quantity, quote),
            terms.post_only,
            _optional_time(terms.good_till),
            _optional(terms.stop_price, quote),
            terms.trailing_delta,
            _optional(terms.visible_quantity, base),
            terms.self_trade_prevention.value,
            order.status.value,
            decimal_text(order.executed_quantity, base),
            decimal_text(order.executed_quote_quantity, quote),
            # Of an order by quote amount, what was prevented counts the quote asset.
            decimal_text(order.prevented_quantity, base if terms.quote_quantity is None else quote),
            event.change.value,
            order.list_id,
            _optional_time(order.working_since),
            timestamp(order.created_at),
            timestamp(order.updated_at),
            sequence,
        )


def _archive_row(entry: EncodedEntry) -> ArchiveRow:
    return ArchiveRow(
        entry.sequence,
        timestamp(entry.time),
        entry.epoch,
        entry.core,
        compress(entry.commands),
        compress(entry.events),
        entry.digest,
    )


def _market_row(event: MarketDefined, pair: Pair, sequence: int) -> MarketRow:
    return MarketRow(
        clean(event.symbol),
        event.base,
        event.quote,
        decimal_text(event.tick, pair.quote_scale),
        decimal_text(event.step, pair.base_scale),
        decimal_text(event.min_quantity, pair.base_scale),
        decimal_text(event.max_quantity, pair.base_scale),
        decimal_text(event.min_notional, pair.quote_scale),
        event.band_down_ppm,
        event.band_up_ppm,
        event.maker_fee_ppm,
        event.taker_fee_ppm,
        decimal_text(event.max_notional, pair.quote_scale)
        if event.max_notional < MAX_AMOUNT
        else None,
        event.max_open_orders,
        event.max_conditional_orders,
        event.trigger_band_ppm,
        event.guard_ppm,
        event.guard_window_ms,
        event.guard_pause_ms,
        sequence,
    )


def _account_row(event: AccountConfigured, sequence: int) -> AccountRow:
    return AccountRow(
        event.account,
        event.tier,
        event.trade_group,
        event.frozen,
        event.unlimited_orders,
        sequence,
    )


def _order_list_row(event: OrderListUpdated, sequence: int) -> OrderListRow:
    return OrderListRow(
        event.list_id,
        event.account,
        event.market,
        _optional_text(event.client_list_id),
        event.status.value,
        list(event.order_ids),
        timestamp(event.updated_at),
        sequence,
    )


def _trade_row(event: Traded, pair: Pair, sequence: int, time: str) -> TradeRow:
    _, _, base, quote = pair
    return TradeRow(
        event.market,
        event.trade_id,
        time,
        sequence,
        decimal_text(event.price, quote),
        decimal_text(event.quantity, base),
        decimal_text(event.quote_quantity, quote),
        event.taker_side.value,
        event.buyer,
        event.seller,
        event.buy_order_id,
        event.sell_order_id,
        decimal_text(event.buyer_fee, base),
        decimal_text(event.seller_fee, quote),
    )


def _optional(amount: int | None, scale: int) -> str | None:
    return None if amount is None else decimal_text(amount, scale)


def _optional_text(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _optional_time(time_ms: int | None) -> str | None:
    return None if time_ms is None else timestamp(time_ms)


def clean(text: str) -> str:
    """PostgreSQL's text cannot hold NUL. One such id must not halt the projection for everyone."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


@lru_cache(maxsize=16_384)
def decimal_text(amount: int, scale: int) -> str:
    """Remembered, because each amount of a trade stands in it, in two orders and in the ledger."""
    return format_amount(amount, scale)


@lru_cache(maxsize=4_096)
def timestamp(time_ms: int) -> str:
    return str(to_datetime(time_ms))
