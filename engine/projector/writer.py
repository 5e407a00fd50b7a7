"""Rows into tables, by COPY: the quickest way there is.

What is new goes straight into its table: records, and orders that were accepted in these entries.
Orders that were there before are changed by an UPDATE of what can change. Everything else, and all
of entries that may have been written before, is copied into a staging table and merged by one
INSERT: a row that is there already never fails the batch and never turns back time. Records
(trades, ledger, archive) stay as they are, and what has a state (orders, markets) changes only
forward in the journal. So replaying any range changes nothing.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Final, NamedTuple

from django.db import connection
from psycopg import Cursor, sql

from engine.archive import archived_sequence
from engine.projector.copying import array_of, copy_block, copy_field
from engine.projector.rows import (
    AccountRow,
    ArchiveRow,
    AssetRow,
    FeesRow,
    LedgerRow,
    MarketRow,
    NotionalLimitRow,
    OrderChangeRow,
    OrderListRow,
    OrderRow,
    Pair,
    PhaseRow,
    Rows,
    TradeRow,
)


class Target(NamedTuple):
    """A table and the columns that are written. With a `state_of`, the columns that say whose
    state a row is: the state of the higher `sequence` wins."""

    table: str
    columns: tuple[str, ...]
    state_of: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    """Of the columns, where the binary format is the better one: bytes would double as text."""

    @property
    def staging(self) -> str:
        return f"staged_{self.table}"


ASSETS = Target("markets_asset", AssetRow._fields)
MARKETS = Target("markets_market", MarketRow._fields, state_of=("symbol",))
FEES = Target("markets_marketfees", FeesRow._fields, state_of=("market_id", "tier"))
ACCOUNTS = Target("accounts_tradingaccount", AccountRow._fields, state_of=("account",))
NOTIONAL_LIMITS = Target(
    "accounts_notionallimit", NotionalLimitRow._fields, state_of=("account", "asset")
)
ORDERS = Target("markets_order", OrderRow._fields, state_of=("order_id",))
_TYPES_OF_CHANGES: Final = {
    "order_id": "bigint",
    "status": "text",
    "executed_quantity": "numeric",
    "executed_quote_quantity": "numeric",
    "prevented_quantity": "numeric",
    "change": "text",
    "working_since": "timestamptz",
    "updated_at": "timestamptz",
    "sequence": "bigint",
    "client_order_id": "text",
    "price": "numeric",
    "quantity": "numeric",
}
ORDER_AMENDMENTS: Final = OrderChangeRow._fields
ORDER_CHANGES: Final = ORDER_AMENDMENTS[: ORDER_AMENDMENTS.index("sequence") + 1]
ORDER_LISTS = Target("markets_orderlist", OrderListRow._fields, state_of=("list_id",))
TRADES = Target("markets_trade", TradeRow._fields)
LEDGER = Target("accounts_ledgerentry", LedgerRow._fields)
ARCHIVE = Target(
    "engine_journalentry",
    ArchiveRow._fields,
    types=("int8", "timestamptz", "int8", "int4", "bytea", "bytea", "text"),
)


def known_rows() -> Rows:
    """No rows yet, and the assets and markets that the tables know."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT symbol, scale FROM markets_asset")
        scales: dict[str, int] = dict(cursor.fetchall())
        cursor.execute("SELECT symbol, base_id, quote_id FROM markets_market")
        pairs = {
            symbol: Pair(base, quote, scales[base], scales[quote])
            for symbol, base, quote in cursor.fetchall()
        }
    return Rows(scales, pairs)


def write_rows(rows: Rows) -> None:
    """Inside a transaction. Definitions come first: the rest speaks of them."""
    # What the archive does not hold was never written: one transaction writes all or nothing.
    fresh = archived_sequence() < rows.archive[0].sequence
    _define(ASSETS, rows.assets.values())
    _define(MARKETS, rows.markets.values())
    _set_phases(rows.phases.values())
    _define(FEES, rows.fees.values())
    _define(ACCOUNTS, rows.accounts.values())
    _define(NOTIONAL_LIMITS, rows.notional_limits.values())
    write_records = _copy if fresh else _merge
    write_records(ORDERS, rows.accepted_orders)
    # Where an order is missing, or changed later already, the careful way does what there is to do.
    if not (
        fresh
        and _change_orders(ORDER_CHANGES, rows.order_changes(amended=False))
        and _change_orders(ORDER_AMENDMENTS, rows.order_changes(amended=True))
    ):
        _merge(ORDERS, rows.changed_orders)
    _define(ORDER_LISTS, rows.order_lists.values())
    write_records(TRADES, rows.trades)
    write_records(LEDGER, rows.ledger)
    write_records(ARCHIVE, rows.archive)


def _set_phases(rows: Collection[PhaseRow]) -> None:
    """A market's phase has a history of its own beside that of its rules."""
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE markets_market SET phase = %(phase)s, phase_until = %(phase_until)s,"
                " phase_sequence = %(phase_sequence)s"
                " WHERE symbol = %(symbol)s AND phase_sequence < %(phase_sequence)s",
                [row._asdict() for row in rows],
            )


def _change_orders(columns: tuple[str, ...], changes: Collection[OrderChangeRow]) -> bool:
    """Whether each of these orders was there, and older."""
    if not changes:
        return True
    # Arrays, not a staging table: they leave nothing to empty, and the planner sees how many there
    # are. Each order is looked up: of a table that was never analyzed it might read all instead.
    arrays = [
        array_of(column) for column, _ in zip(zip(*changes, strict=True), columns, strict=False)
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        cursor.execute(_update_of_orders(columns), arrays)
        return bool(cursor.rowcount == len(changes))


@lru_cache
def _update_of_orders(columns: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_TYPES_OF_CHANGES[name]}[]" for name in columns)
    changes = ", ".join(f"{name} = new.{name}" for name in columns if name != "order_id")
    return (
        f"UPDATE markets_order AS kept SET {changes}"  # noqa: S608 - the names of our own columns
        f" FROM unnest({arrays}) AS new ({', '.join(columns)})"
        " WHERE kept.order_id = new.order_id AND kept.sequence < new.sequence"
    )


def _define(target: Target, rows: Collection[tuple[object, ...]]) -> None:
    _merge(target, [tuple(map(copy_field, row)) for row in rows])


def _copy(target: Target, rows: Collection[tuple[object, ...]], *, into: str = "") -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN {}").format(
        sql.Identifier(into or target.table),
        _columns(target),
        sql.SQL("(FORMAT BINARY)" if target.types else ""),
    )
    with connection.cursor() as wrapped:
        cursor: Cursor[tuple[object, ...]] = wrapped.cursor
        with cursor.copy(statement) as copy:
            if target.types:
                copy.set_types(target.types)
                for row in rows:
                    copy.write_row(row)
            else:
                copy.write(copy_block(rows))


def _merge(target: Target, rows: Collection[tuple[object, ...]]) -> None:
    if not rows:
        return
    staging, columns = sql.Identifier(target.staging), _columns(target)
    with connection.cursor() as cursor:
        # Once per connection: the commit empties it, which costs less than to create it anew.
        cursor.execute(
            sql.SQL(
                "CREATE TEMP TABLE IF NOT EXISTS {} ON COMMIT DELETE ROWS"
                " AS SELECT {} FROM {} WITH NO DATA"
            ).format(staging, columns, sql.Identifier(target.table))
        )
        _copy(target, rows, into=target.staging)
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT {}").format(
                sql.Identifier(target.table), columns, columns, staging, _on_conflict(target)
            )
        )
        cursor.execute(sql.SQL("DELETE FROM {}").format(staging))


def _columns(target: Target) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, target.columns))


def _on_conflict(target: Target) -> sql.Composable:
    if not target.state_of:
        return sql.SQL("DO NOTHING")
    changes = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column))
        for column in target.columns
        if column not in target.state_of
    )
    return sql.SQL("({}) DO UPDATE SET {} WHERE {}.sequence < EXCLUDED.sequence").format(
        sql.SQL(", ").join(map(sql.Identifier, target.state_of)),
        changes,
        sql.Identifier(target.table),
    )
