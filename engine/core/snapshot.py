"""The engine's whole state as plain data, and its hash.

Two engines are the same exactly if their snapshots are. Everything in it is sorted or in the order
of its queue, so that equal states are equal bytes.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from engine.core.accounts import Account
from engine.core.commands import DefineMarket, OrderTerms
from engine.core.deadlines import Deadline, Kind
from engine.core.funds import Withdrawal
from engine.core.idempotency import Idempotency, Remembered
from engine.core.markets import Asset, Market
from engine.core.mass_cancel import Sweep
from engine.core.open_orders import expiry_of
from engine.core.order import Order
from engine.core.order_lists import OrderList
from engine.core.types import BUY, Phase

if TYPE_CHECKING:
    from engine.core.engine import Engine


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A part of the state, as a JSON array."""


class AssetRecord(Record, frozen=True):
    symbol: str
    scale: int
    house: int
    external: int


class AccountRecord(Record, frozen=True):
    number: int
    event_number: int
    tier: int
    trade_group: int | None
    frozen: bool
    unlimited_orders: bool
    balances: list[tuple[str, int, int]]
    """`(asset, available, locked)`, by asset."""
    notional_limits: list[tuple[str, int]]
    withdrawals: list[tuple[int, str, int, str]]
    """`(id, asset, amount, key)` of those that are reserved."""


class OrderRecord(Record, frozen=True):
    order_id: int
    terms: OrderTerms
    limit: int
    remaining: int
    shown: int
    locked: int
    executed_quantity: int
    executed_quote_quantity: int
    prevented_quantity: int
    created_at: int
    updated_at: int
    working_since: int
    list_id: int
    best_price: int | None
    """Of a trailing order that is tracked."""


class OrderListRecord(Record, frozen=True):
    list_id: int
    client_list_id: str | None
    account: int
    legs: tuple[int, int]


class MarketRecord(Record, frozen=True):
    rules: DefineMarket
    tier_fees: list[tuple[int, int, int]]
    phase: Phase
    next_phase: Phase
    clearing_price: int | None
    guard_samples: list[tuple[int, int]]
    last_price: int | None
    trade_id: int
    depth_number: int
    standing: list[OrderRecord]
    """Bids then asks, best price first, oldest first."""
    waiting: list[OrderRecord]
    """For their triggers, by id."""
    triggered: list[OrderRecord]
    """In the order of their turns."""
    order_lists: list[OrderListRecord]


class KeyRecord(Record, frozen=True):
    account: int
    key: str
    fingerprint: str
    reply: str
    time: int


class Holdings(msgspec.Struct, frozen=True):
    """What everybody owns and what stands in the books, with all counters."""

    last_order_id: int
    last_list_id: int
    last_withdrawal_id: int
    assets: list[AssetRecord]
    markets: list[MarketRecord]
    accounts: list[AccountRecord]
    deadlines: list[tuple[int, Deadline]]
    """Timers and ends of calls, with their times."""
    sweeps: list[Sweep]


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that decides what the engine does next."""

    time: int
    holdings: Holdings
    order_keys: list[KeyRecord]
    money_keys: list[KeyRecord]


encode_snapshot: Final = msgspec.json.Encoder().encode
decode_snapshot: Final = msgspec.json.Decoder(Snapshot).decode


def take_snapshot(engine: "Engine") -> Snapshot:
    return Snapshot(
        engine.time, _holdings(engine), _keys(engine.order_keys), _keys(engine.money_keys)
    )


def state_hash(engine: "Engine") -> str:
    """SHA-256 over the holdings.

    What a refused command leaves behind (the time, its idempotency key) is no part of it: bad
    input does not change this hash.
    """
    return _hash(_holdings(engine))


def snapshot_hash(snapshot: Snapshot) -> str:
    """The `state_hash` of the engine that it was taken of."""
    return _hash(snapshot.holdings)


def _hash(holdings: Holdings) -> str:
    return sha256(encode_snapshot(holdings)).hexdigest()


def restore_snapshot(engine: "Engine", snapshot: Snapshot) -> None:
    """Fill an engine that has seen nothing yet."""
    assert engine.time == 0, "a snapshot is restored into a new engine"
    holdings = snapshot.holdings
    engine.time = snapshot.time
    engine.orders.last_order_id = holdings.last_order_id
    engine.orders.last_list_id = holdings.last_list_id
    engine.funds.last_withdrawal_id = holdings.last_withdrawal_id
    for asset in holdings.assets:
        engine.markets.assets[asset.symbol] = Asset(asset.symbol, asset.scale)
        engine.accounts.house[asset.symbol] = asset.house
        engine.accounts.external[asset.symbol] = asset.external
    for account in holdings.accounts:
        _restore_account(engine, account)
    for market in holdings.markets:
        _restore_market(engine, market)
    for due, deadline in holdings.deadlines:
        engine.deadlines.set(deadline, due)
    engine.mass_cancel.sweeps.extend(holdings.sweeps)
    _restore_keys(engine.order_keys, snapshot.order_keys)
    _restore_keys(engine.money_keys, snapshot.money_keys)


def _holdings(engine: "Engine") -> Holdings:
    accounts, markets = engine.accounts, engine.markets
    return Holdings(
        engine.orders.last_order_id,
        engine.orders.last_list_id,
        engine.funds.last_withdrawal_id,
        [
            AssetRecord(a.symbol, a.scale, accounts.house[a.symbol], accounts.external[a.symbol])
            for a in sorted(markets.assets.values(), key=lambda asset: asset.symbol)
        ],
        [_market(m) for m in sorted(markets, key=lambda market: market.symbol)],
        [_account(a) for a in sorted(accounts, key=lambda account: account.number)],
        sorted(
            (due, deadline)
            for kind in (Kind.TIMER_CANCELS, Kind.CALL_ENDS)
            for deadline, due in engine.deadlines.of_kind(kind)
        ),
        list(engine.mass_cancel.sweeps),
    )


def _account(account: Account) -> AccountRecord:
    return AccountRecord(
        account.number,
        account.event_number,
        account.tier,
        account.trade_group,
        account.frozen,
        account.unlimited_orders,
        sorted((b.asset, b.available, b.locked) for b in account.balances.values() if b.is_held),
        sorted(account.notional_limits.items()),
        [(w.withdrawal_id, w.asset, w.amount, w.key) for w in account.withdrawals.values()],
    )


def _market(market: Market) -> MarketRecord:
    return MarketRecord(
        market.rules,
        sorted((tier, *fees) for tier, fees in market.tier_fees.items()),
        market.phase,
        market.next_phase,
        market.clearing_price,
        list(market.guard.samples),
        market.last_price,
        market.trade_id,
        market.depth_number,
        [_order(order) for order in market.book.orders()],
        sorted((_order(order) for order in market.triggers), key=lambda order: order.order_id),
        [_order(order) for order in market.triggered],
        _order_lists(market.orders()),
    )


def _order(order: Order) -> OrderRecord:
    return OrderRecord(
        order.order_id,
        order.terms,
        order.limit,
        order.remaining,
        0 if order.waits else order.shown,
        order.locked,
        order.executed_quantity,
        order.executed_quote_quantity,
        order.prevented_quantity,
        order.created_at,
        order.updated_at,
        order.working_since,
        order.list_id,
        order.level.price if order.is_tracked and order.level is not None else None,
    )


def _order_lists(orders: Iterable[Order]) -> list[OrderListRecord]:
    lists = {o.order_list.list_id: o.order_list for o in orders if o.order_list is not None}
    return [
        OrderListRecord(
            list_id,
            order_list.client_list_id,
            order_list.legs[0].account.number,
            (order_list.legs[0].order_id, order_list.legs[1].order_id),
        )
        for list_id, order_list in sorted(lists.items())
    ]


def _restore_account(engine: "Engine", record: AccountRecord) -> None:
    account = engine.accounts.open(record.number)
    account.event_number = record.event_number
    account.tier = record.tier
    account.trade_group = record.trade_group
    account.frozen = record.frozen
    account.unlimited_orders = record.unlimited_orders
    account.notional_limits.update(record.notional_limits)
    for symbol, available, locked in record.balances:
        balance = account.balance(symbol)
        balance.available, balance.locked, balance.is_held = available, locked, True
    for withdrawal_id, asset, amount, key in record.withdrawals:
        account.withdrawals[withdrawal_id] = Withdrawal(withdrawal_id, asset, amount, key)


def _restore_market(engine: "Engine", record: MarketRecord) -> None:
    market = engine.markets.open(record.rules)
    market.tier_fees = {tier: (maker, taker) for tier, maker, taker in record.tier_fees}
    market.phase, market.next_phase = record.phase, record.next_phase
    market.clearing_price = record.clearing_price
    if market.clearing_price is not None:
        engine.phases.resume(market)
    market.guard.samples = list(record.guard_samples)
    market.last_price = record.last_price
    market.trade_id = record.trade_id
    market.depth_number = record.depth_number
    orders: list[Order] = []
    for row in record.standing:
        order = _restored_order(engine, market, row, waits=False)
        market.book.side_of(order).add(order, order.limit).show(order, row.shown)
        orders.append(order)
    for row in sorted(record.waiting, key=_by_time_tracked):
        order = _restored_order(engine, market, row, waits=True)
        if row.best_price is not None:
            market.triggers.track(order, row.best_price)
        else:
            market.triggers.add(order, market.last_price)
        orders.append(order)
    for row in record.triggered:
        order = _restored_order(engine, market, row, waits=True)
        market.triggered.append(order)
        orders.append(order)
    engine.trigger_queue.settle(market)
    # Accounts know their open orders oldest first.
    for order in sorted(orders, key=lambda order: order.order_id):
        order.participant.remember(order)
        if order.good_till:
            engine.deadlines.set(expiry_of(order), order.good_till)
    _restore_order_lists(engine, market, record.order_lists)


def _by_time_tracked(record: OrderRecord) -> tuple[int, int]:
    """Whoever is tracked for longer has seen a better price: higher for sells, lower for buys."""
    best = record.best_price or 0
    return (best if record.terms.side is BUY else -best), record.order_id


def _restored_order(engine: "Engine", market: Market, row: OrderRecord, *, waits: bool) -> Order:
    participant = engine.markets.participant(engine.accounts.open(row.terms.account), market)
    order = Order(row.order_id, row.terms, participant, row.created_at)
    order.limit = row.limit
    order.remaining = row.remaining
    order.locked = row.locked
    order.executed_quantity = row.executed_quantity
    order.executed_quote_quantity = row.executed_quote_quantity
    order.prevented_quantity = row.prevented_quantity
    order.updated_at = row.updated_at
    order.working_since = row.working_since
    order.list_id = row.list_id
    order.waits = waits
    return order


def _restore_order_lists(engine: "Engine", market: Market, records: list[OrderListRecord]) -> None:
    for record in records:
        orders = engine.accounts.open(record.account).participants[market.symbol].orders
        legs = orders[record.legs[0]], orders[record.legs[1]]
        order_list = OrderList(record.list_id, record.client_list_id, legs)
        for leg in legs:
            leg.order_list = order_list


def _keys(store: Idempotency) -> list[KeyRecord]:
    return [
        KeyRecord(account, key, b64encode(r.fingerprint).decode(), r.reply.decode(), r.time)
        for account, key, r in store.entries()
    ]


def _restore_keys(store: Idempotency, records: list[KeyRecord]) -> None:
    for key in records:
        remembered = Remembered(b64decode(key.fingerprint), key.reply.encode(), key.time)
        store.restore(key.account, key.key, remembered)
