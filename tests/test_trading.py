"""One trade's way: from two clients over REST to journal, tables, candle and ledger."""

import json
import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange
from markets.tests.native import NativeClient, order

MARKET = "TRADEUSDT"
FUNDS = {"SOL": "100", "USDT": "100000"}


def sol(**changes: object) -> dict[str, object]:
    return order(**{"symbol": MARKET, **changes})


@pytest.fixture(scope="module")
def alice(exchange: RunningExchange) -> NativeClient:
    exchange.define_market(MARKET, base="SOL", quote="USDT", tick="0.01", step="0.001")
    return NativeClient(exchange.url, exchange.create_user("trading-alice", fund=FUNDS))


@pytest.fixture(scope="module")
def bob(exchange: RunningExchange) -> NativeClient:
    return NativeClient(exchange.url, exchange.create_user("trading-bob", fund=FUNDS))


@pytest.fixture
def database(exchange: RunningExchange) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(exchange.database_url, autocommit=True) as connection:
        yield connection


def balances(client: NativeClient) -> dict[str, Decimal]:
    rows = client.get("/balances").json()
    return {row["asset"]: Decimal(row["available"]) + Decimal(row["locked"]) for row in rows}


def test_a_trade_goes_all_the_way(
    exchange: RunningExchange,
    alice: NativeClient,
    bob: NativeClient,
    database: "psycopg.Connection[Any]",
) -> None:
    before = time.time_ns() // 1_000_000
    asked = alice.post("/order", sol(side="sell", price="100", quantity="3")).json()
    bought = bob.post("/order", sol(price="101", quantity="2")).json()
    [fill] = bought["fills"]

    # both own what they should, the fees taken
    assert balances(alice)["SOL"] == Decimal("98")
    assert balances(alice)["USDT"] == Decimal("100000") + Decimal("199.8")
    assert balances(bob)["SOL"] == Decimal("101.998")
    assert balances(bob)["USDT"] == Decimal("99800")

    # the fill is in PostgreSQL, at once for those who ask for their own
    [mine] = bob.get("/fills", symbol=MARKET).json()
    assert (mine["trade_id"], mine["price"]) == (fill["trade_id"], "100.00000000")
    row = database.execute(
        "SELECT price, quantity, buy_order_id, sell_order_id, sequence FROM markets_trade"
        " WHERE market_id = %s AND trade_id = %s",
        [MARKET, fill["trade_id"]],
    ).fetchone()
    assert row is not None
    assert row[:4] == (Decimal(100), Decimal(2), bought["order_id"], asked["order_id"])

    # its ledger rows sum to zero per asset
    sums = database.execute(
        "SELECT asset, sum(amount) FROM accounts_ledgerentry WHERE sequence = %s GROUP BY asset",
        [row[4]],
    ).fetchall()
    assert dict(sums) == {"SOL": 0, "USDT": 0}

    # the candle has it
    def candle() -> Any:
        query = {"symbol": MARKET, "interval": "1d", "start_time": before - 86_400_000}
        candles = alice.get("/kline", **query).json()
        return candles and Decimal(candles[-1]["volume"]) >= 2

    wait_until(candle, "the candle has the trade")

    # and nothing was made or lost
    for asset in exchange.state()["assets"].values():
        assert Decimal(asset["sum"]) == 0


def test_the_same_key_places_one_order(alice: NativeClient) -> None:
    name = f"once-{uuid.uuid4().hex[:12]}"
    fields = sol(side="sell", price="150", quantity="1", client_order_id=name)
    answers = [alice.post("/order", fields).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    other = alice.post("/order", {**fields, "quantity": "2"})
    assert (other.status_code, other.json()["code"]) == (409, "KEY_REUSED")
    alice.delete("/order", symbol=MARKET, client_order_id=name)


def test_bad_input_changes_nothing(alice: NativeClient) -> None:
    before = [alice.get(path).json() for path in ("/balances", "/orders")]
    for fields in (
        sol(symbol="NOPE"),
        sol(price="100.001"),
        sol(quantity="0.0001"),
        sol(price="-1"),
        sol(price="NaN"),
        sol(price="１００"),  # noqa: RUF001
        sol(price=str(2**63)),
        sol(extra="1"),
        sol(quantity="999999"),
        sol(quantity="999999", client_order_id="named"),
    ):
        answer = alice.post("/order", fields)
        assert 400 <= answer.status_code < 500
        assert answer.json()["code"]
    for body in (b"x" * 1_000_000, b"[" * 50_000):
        assert 400 <= alice.send("POST", "/order", body=body).status_code < 500
    assert [alice.get(path).json() for path in ("/balances", "/orders")] == before


def test_the_ledger_cannot_be_changed(
    exchange: RunningExchange, database: "psycopg.Connection[Any]"
) -> None:
    """By the application's role for want of the right, by the owner for the trigger."""
    for role, reason in (
        ("exchange_app", psycopg.errors.InsufficientPrivilege),
        ("exchange_owner", psycopg.errors.IntegrityConstraintViolation),
    ):
        for change in (
            "UPDATE accounts_ledgerentry SET amount = 1",
            "DELETE FROM accounts_ledgerentry",
            "TRUNCATE accounts_ledgerentry",
        ):
            url = exchange.database_url.replace("exchange_owner", role)
            with psycopg.connect(url) as connection, pytest.raises(reason):
                connection.execute(change)


def test_exchange_state_has_the_promised_shape(exchange: RunningExchange) -> None:
    state = exchange.state()
    assert set(state) == {"sequence", "state_hash", "assets", "open_orders"}
    assert set(state["open_orders"]) >= {"BTCUSDT", "ETHUSDT", "SOLUSDT", "ETHBTC"}
    for asset in ("BTC", "ETH", "SOL", "USDT"):
        assert set(state["assets"][asset]) == {"available", "locked", "house", "external", "sum"}


def test_create_api_key_prints_one_json_line(exchange: RunningExchange) -> None:
    name = f"key-{uuid.uuid4().hex[:8]}"
    printed = exchange.manage("create_api_key", name, "--create", "--fund", "SOL=1.5")
    [line] = printed.splitlines()
    assert set(json.loads(line)) == {"username", "api_key", "secret_key"}
    client = NativeClient(exchange.url, json.loads(line))
    assert balances(client)["SOL"] == Decimal("1.5")
