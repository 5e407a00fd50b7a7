"""The engine's whole state as plain data, and its hash.

Two engines are the same exactly if their snapshots are. Everything in it is sorted or in the order
of the book, so that equal states are equal bytes.
"""

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from engine.core.commands import DefineMarket, OrderTerms
from engine.core.idempotency import Idempotency, Remembered
from engine.core.markets import Asset, Market
from engine.core.order import Order

if TYPE_CHECKING:
    from engine.core.engine import Engine


class AssetRecord(msgspec.Struct, frozen=True, array_like=True):
    symbol: str
    scale: int
    house: int
    external: int


class AccountRecord(msgspec.Struct, frozen=True, array_like=True):
    number: int
    event_number: int
    balances: list[tuple[str, int, int]]
    """`(asset, available, locked)`, by asset."""


class OrderRecord(msgspec.Struct, frozen=True, array_like=True):
    order_id: int
    terms: OrderTerms
    remaining: int
    executed_quantity: int
    executed_quote_quantity: int
    created_at: int
    updated_at: int


class MarketRecord(msgspec.Struct, frozen=True, array_like=True):
    rules: DefineMarket
    last_price: int | None
    trade_id: int
    depth_number: int
    orders: list[OrderRecord]
    """Bids then asks, best price first, oldest first."""


class KeyRecord(msgspec.Struct, frozen=True, array_like=True):
    account: int
    key: str
    fingerprint: str
    reply: str
    time: int


class Holdings(msgspec.Struct, frozen=True):
    """What everybody owns and what stands in the books, with all counters."""

    last_order_id: int
    assets: list[AssetRecord]
    markets: list[MarketRecord]
    accounts: list[AccountRecord]


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that decides what the engine does next."""

    time: int
    holdings: Holdings
    order_keys: list[KeyRecord]
    deposit_keys: list[KeyRecord]


encode_snapshot: Final = msgspec.json.Encoder().encode
decode_snapshot: Final = msgspec.json.Decoder(Snapshot).decode


def take_snapshot(engine: "Engine") -> Snapshot:
    return Snapshot(
        engine.time, _holdings(engine), _keys(engine.order_keys), _keys(engine.deposit_keys)
    )


def state_hash(engine: "Engine") -> str:
    """SHA-256 over the holdings.

    What a refused command leaves behind (the time, its idempotency key) is no part of it: bad
    input does not change this hash.
    """
    return sha256(encode_snapshot(_holdings(engine))).hexdigest()


def restore_snapshot(engine: "Engine", snapshot: Snapshot) -> None:
    """Fill an engine that has seen nothing yet."""
    assert engine.time == 0, "a snapshot is restored into a new engine"
    engine.time = snapshot.time
    engine.orders.last_order_id = snapshot.holdings.last_order_id
    for asset in snapshot.holdings.assets:
        engine.markets.assets[asset.symbol] = Asset(asset.symbol, asset.scale)
        engine.accounts.house[asset.symbol] = asset.house
        engine.accounts.external[asset.symbol] = asset.external
    for record in snapshot.holdings.accounts:
        account = engine.accounts.open(record.number)
        account.event_number = record.event_number
        for symbol, available, locked in record.balances:
            balance = account.balance(symbol)
            balance.available, balance.locked = available, locked
    for market in snapshot.holdings.markets:
        _restore_market(engine, market)
    _restore_open_orders(engine)
    _restore_keys(engine.order_keys, snapshot.order_keys)
    _restore_keys(engine.deposit_keys, snapshot.deposit_keys)


def _keys(store: Idempotency) -> list[KeyRecord]:
    return [
        KeyRecord(account, key, b64encode(r.fingerprint).decode(), r.reply.decode(), r.time)
        for account, key, r in store.entries()
    ]


def _restore_keys(store: Idempotency, records: list[KeyRecord]) -> None:
    for key in records:
        remembered = Remembered(b64decode(key.fingerprint), key.reply.encode(), key.time)
        store.restore(key.account, key.key, remembered)


def _holdings(engine: "Engine") -> Holdings:
    accounts, markets = engine.accounts, engine.markets
    return Holdings(
        engine.orders.last_order_id,
        [
            AssetRecord(a.symbol, a.scale, accounts.house[a.symbol], accounts.external[a.symbol])
            for a in sorted(markets.assets.values(), key=lambda asset: asset.symbol)
        ],
        [_market(m) for m in sorted(markets, key=lambda market: market.rules.symbol)],
        [
            AccountRecord(
                account.number,
                account.event_number,
                sorted((b.asset, b.available, b.locked) for b in account.balances.values()),
            )
            for account in sorted(accounts, key=lambda account: account.number)
        ],
    )


def _market(market: Market) -> MarketRecord:
    orders = [
        OrderRecord(
            order.order_id,
            order.terms,
            order.remaining,
            order.executed_quantity,
            order.executed_quote_quantity,
            order.created_at,
            order.updated_at,
        )
        for order in market.book.orders()
    ]
    return MarketRecord(
        market.rules, market.last_price, market.trade_id, market.depth_number, orders
    )


def _restore_market(engine: "Engine", record: MarketRecord) -> None:
    market = engine.markets.open(record.rules)
    if record.last_price is not None:
        market.traded_at(record.last_price)
    market.trade_id = record.trade_id
    market.depth_number = record.depth_number
    for row in record.orders:
        order = Order(row.order_id, row.terms, engine.accounts.open(row.terms.account), 0)
        order.remaining = row.remaining
        order.executed_quantity = row.executed_quantity
        order.executed_quote_quantity = row.executed_quote_quantity
        order.created_at = row.created_at
        order.updated_at = row.updated_at
        assert row.terms.price is not None
        market.book.side(row.terms.side).add(order, row.terms.price)


def _restore_open_orders(engine: "Engine") -> None:
    """Accounts know their open orders oldest first, whatever market they stand in."""
    orders = [order for market in engine.markets for order in market.book.orders()]
    for order in sorted(orders, key=lambda order: order.order_id):
        order.account.remember(order)
        if order.terms.good_till is not None:
            engine.deadlines.add(order, order.terms.good_till)
