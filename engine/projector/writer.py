"""Rows into tables: COPY into a staging table, then one INSERT, the quickest way there is.

A row that is there already never fails the batch and never turns back time, so that replaying
any range changes nothing: records (trades, ledger, archive) stay as they are, and what has a
state (orders, markets) changes only forward in the journal.
"""

from collections.abc import Collection
from typing import NamedTuple

from django.db import connection
from psycopg import Cursor, sql

from engine.projector.rows import (
    ArchiveRow,
    AssetRow,
    LedgerRow,
    MarketRow,
    OrderRow,
    Pair,
    Rows,
    TradeRow,
)


class Target(NamedTuple):
    """A table and the columns that are written. With a `state_of`, the column that says whose
    state a row is: the state of the higher `sequence` wins."""

    table: str
    columns: tuple[str, ...]
    state_of: str | None = None

    @property
    def staging(self) -> str:
        return f"staged_{self.table}"


ASSETS = Target("markets_asset", AssetRow._fields)
MARKETS = Target("markets_market", MarketRow._fields, state_of="symbol")
ORDERS = Target("markets_order", OrderRow._fields, state_of="order_id")
TRADES = Target("markets_trade", TradeRow._fields)
LEDGER = Target("accounts_ledgerentry", LedgerRow._fields)
ARCHIVE = Target("engine_journalentry", ArchiveRow._fields)


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
    _write(ASSETS, rows.assets.values())
    _write(MARKETS, rows.markets.values())
    _write(ORDERS, rows.orders)
    _write(TRADES, rows.trades)
    _write(LEDGER, rows.ledger)
    _write(ARCHIVE, rows.archive)


def _write(target: Target, rows: Collection[tuple[object, ...]]) -> None:
    if not rows:
        return
    table, staging = sql.Identifier(target.table), sql.Identifier(target.staging)
    columns = sql.SQL(", ").join(map(sql.Identifier, target.columns))
    with connection.cursor() as wrapped:
        wrapped.execute(_create_staging(staging, table))
        cursor: Cursor[tuple[object, ...]] = wrapped.cursor
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(staging, columns)) as copy:
            for row in rows:
                copy.write_row(row)
        wrapped.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT {}").format(
                table, columns, columns, staging, _on_conflict(target)
            )
        )
        wrapped.execute(sql.SQL("DELETE FROM {}").format(staging))


def _create_staging(staging: sql.Identifier, table: sql.Identifier) -> sql.Composed:
    """Once per connection; the commit empties it, which costs less than to create it anew."""
    return sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DELETE ROWS").format(
        staging, table
    )


def _on_conflict(target: Target) -> sql.Composable:
    if target.state_of is None:
        return sql.SQL("DO NOTHING")
    changes = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column))
        for column in target.columns
        if column != target.state_of
    )
    return sql.SQL("({}) DO UPDATE SET {} WHERE {}.sequence < EXCLUDED.sequence").format(
        sql.Identifier(target.state_of), changes, sql.Identifier(target.table)
    )
