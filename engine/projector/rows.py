"""Which rows a run of journal entries means. Pure: no database, no clock.

A row's fields are named and ordered like the columns of its table. Amounts are decimal text in
units of their asset, times ISO text: what COPY takes, and as exact as the journal's integers. Of
the rows that every order brings (`OrderRow`, `TradeRow`, `LedgerRow`) each field is written as COPY
reads it: NULL for what there is not, and text escaped.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from engine.archive import compress
from engine.core.events import (
    AccountConfigured,
    AssetDefined,
    Deposited,
    FeesSet,
    MarketDefined,
    NotionalLimited,
    OrderListUpdated,
    OrderState,
    PhaseChanged,
    Traded,
    Transferred,
)
from engine.core.types import MAX_AMOUNT, Change
from engine.journal import EncodedEntry
from engine.projector.copying import NULL, escape, quote_item
from engine.projector.postings import (
    Posting,
    postings_of_deposit,
    postings_of_trade,
    postings_of_transfer,
    postings_of_withdrawal,
)
from engine.projector.reading import Definition, EventWithRows, Movement, OrderChanged, read_events
from engine.times import to_datetime

Nullable: TypeAlias = str
"""NULL, or a text."""


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
    client_order_id: Nullable
    side: str
    type: str
    time_in_force: str
    price: Nullable
    quantity: Nullable
    quote_quantity: Nullable
    post_only: bool
    good_till: Nullable
    stop_price: Nullable
    trailing_delta: int | Nullable
    visible_quantity: Nullable
    self_trade_prevention: str
    status: str
    executed_quantity: str
    executed_quote_quantity: str
    prevented_quantity: str
    change: str
    list_id: int | Nullable
    working_since: Nullable
    created_at: str
    updated_at: str
    sequence: int


class OrderChangeRow(NamedTuple):
    """What can change of an order, as items of arrays. What comes after `sequence` changes only
    where its owner amends it."""

    order_id: int
    status: str
    executed_quantity: str
    executed_quote_quantity: str
    prevented_quantity: str
    change: str
    working_since: str | None
    updated_at: str
    sequence: int
    client_order_id: str | None
    price: str | None
    quantity: str | None


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
    account: int | Nullable
    asset: str
    amount: str
    kind: str
    reference: str


class ArchiveRow(NamedTuple):
    sequence: int
    time: datetime
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
        self._accepted: dict[int, tuple[OrderChanged, int]] = {}
        self._changed: dict[int, tuple[OrderChanged, int]] = {}
        self._amended: set[int] = set()
        self._position = 0

    @property
    def accepted_orders(self) -> list[OrderRow]:
        """Orders that came among these entries."""
        return self._order_rows(self._accepted)

    @property
    def changed_orders(self) -> list[OrderRow]:
        """Orders of entries before these."""
        return self._order_rows(self._changed)

    def order_changes(self, *, amended: bool) -> list[OrderChangeRow]:
        """`changed_orders` without what never changes: those that were amended, or the others."""
        pairs, amendments = self.pairs, self._amended
        return [
            _order_change_row(event, pairs[event.order.terms.market], sequence)
            for order_id, (event, sequence) in self._changed.items()
            if (order_id in amendments) is amended
        ]

    def add(self, entry: EncodedEntry) -> None:
        """Raises msgspec.ValidationError where the entry is of another format."""
        self.archive.append(_archive_row(entry))
        self._position = 0
        sequence, time = entry.sequence, timestamp(entry.time)
        accepted, changed = self._accepted, self._changed
        for event in read_events(entry):
            if isinstance(event, OrderChanged):
                order_id = event.order.order_id
                if event.change is Change.ACCEPTED or order_id in accepted:
                    accepted[order_id] = (event, sequence)
                else:
                    changed[order_id] = (event, sequence)
                    if event.change is Change.AMENDED:
                        self._amended.add(order_id)
            else:
                self._add_event(event, sequence, time)

    def _add_event(self, event: EventWithRows, sequence: int, time: str) -> None:
        if isinstance(event, Traded):
            pair = self.pairs[event.market]
            self.trades.append(_trade_row(event, pair, sequence, time))
            self._add_postings(postings_of_trade(event, pair.base, pair.quote), sequence, time)
        elif isinstance(event, Movement):
            self._add_postings(_postings_of(event), sequence, time)
        elif isinstance(event, OrderListUpdated):
            self.order_lists[event.list_id] = _order_list_row(event, sequence)
        elif isinstance(event, Definition):
            self._add_definition(event, sequence)

    def _add_definition(self, event: Definition, sequence: int) -> None:
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
        scales, add = self.scales, self.ledger.append
        position = self._position
        for kind, account_kind, account, asset, amount, reference in postings:
            text = decimal_text(abs(amount), scales[asset])
            add(
                LedgerRow(
                    sequence,
                    position,
                    time,
                    account_kind,
                    NULL if account is None else account,
                    _text(asset),
                    text if amount >= 0 else "-" + text,
                    kind,
                    _text(reference),
                )
            )
            position += 1
        self._position = position

    def _order_rows(self, orders: Mapping[int, tuple[OrderChanged, int]]) -> list[OrderRow]:
        pairs = self.pairs
        return [
            _order_row(event, pairs[event.order.terms.market], sequence)
            for event, sequence in orders.values()
        ]


def _order_row(event: OrderChanged, pair: Pair, sequence: int) -> OrderRow:
    order = event.order
    terms = order.terms
    _, _, base, quote = pair
    # One by one: most of it is not there, and a call for each costs as much as all the rest.
    price, quantity, quote_quantity = terms.price, terms.quantity, terms.quote_quantity
    name, good_till, stop_price = terms.client_order_id, terms.good_till, terms.stop_price
    trailing_delta, visible = terms.trailing_delta, terms.visible_quantity
    working_since, list_id = order.working_since, order.list_id
    return OrderRow(
        order.order_id,
        terms.account,
        _text(terms.market),
        NULL if name is None else escape(clean(name)),
        terms.side,
        terms.type,
        terms.time_in_force,
        NULL if price is None else decimal_text(price, quote),
        NULL if quantity is None else decimal_text(quantity, base),
        NULL if quote_quantity is None else decimal_text(quote_quantity, quote),
        terms.post_only,
        NULL if good_till is None else timestamp(good_till),
        NULL if stop_price is None else decimal_text(stop_price, quote),
        NULL if trailing_delta is None else trailing_delta,
        NULL if visible is None else decimal_text(visible, base),
        terms.self_trade_prevention,
        order.status,
        decimal_text(order.executed_quantity, base),
        decimal_text(order.executed_quote_quantity, quote),
        _prevented(order, pair),
        event.change,
        NULL if list_id is None else list_id,
        NULL if working_since is None else timestamp(working_since),
        timestamp(order.created_at),
        timestamp(order.updated_at),
        sequence,
    )


def _order_change_row(event: OrderChanged, pair: Pair, sequence: int) -> OrderChangeRow:
    order = event.order
    terms = order.terms
    _, _, base, quote = pair
    name = terms.client_order_id
    return OrderChangeRow(
        order.order_id,
        order.status,
        decimal_text(order.executed_quantity, base),
        decimal_text(order.executed_quote_quantity, quote),
        _prevented(order, pair),
        event.change,
        _optional_time(order.working_since),
        timestamp(order.updated_at),
        sequence,
        None if name is None else quote_item(clean(name)),
        _optional(terms.price, quote),
        _optional(terms.quantity, base),
    )


def _prevented(order: OrderState, pair: Pair) -> str:
    """Of an order by quote amount, what was prevented counts the quote asset."""
    if not order.prevented_quantity:
        return "0"
    by_base = order.terms.quote_quantity is None
    scale = pair.base_scale if by_base else pair.quote_scale
    return decimal_text(order.prevented_quantity, scale)


def _postings_of(event: Movement) -> Iterable[Posting]:
    if isinstance(event, Deposited):
        return postings_of_deposit(event)
    if isinstance(event, Transferred):
        return postings_of_transfer(event)
    return postings_of_withdrawal(event)


def _archive_row(entry: EncodedEntry) -> ArchiveRow:
    return ArchiveRow(
        entry.sequence,
        to_datetime(entry.time),
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
        _text(event.market),
        event.trade_id,
        time,
        sequence,
        decimal_text(event.price, quote),
        decimal_text(event.quantity, base),
        decimal_text(event.quote_quantity, quote),
        event.taker_side,
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


@lru_cache(maxsize=4_096)
def _text(text: str) -> str:
    """Remembered of symbols, and of a trade's reference, which stands in eight rows."""
    return escape(clean(text))


@lru_cache(maxsize=16_384)
def decimal_text(amount: int, scale: int) -> str:
    """`format_amount` of what is not negative. Remembered, because each amount of a trade stands in
    it, in two orders and in the ledger."""
    if scale == 0:
        return str(amount)
    digits = str(amount).zfill(scale + 1)
    return f"{digits[:-scale]}.{digits[-scale:]}"


@lru_cache(maxsize=4_096)
def timestamp(time_ms: int) -> str:
    return str(to_datetime(time_ms))
