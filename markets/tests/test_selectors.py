"""What the selectors answer from projected tables."""

from decimal import Decimal
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.core.types import Side
from engine.intervals import MINUTE, Interval
from engine.projector.loop import project_entries
from engine.tests.journals import START_MS, JournalWriter, operators_journal, small_journal
from engine.times import to_datetime
from markets import selectors
from markets.candle_updates import update_candles
from markets.models import Order

pytestmark = pytest.mark.django_db

BTC = 10**8
PRICE = 50_000_000_000
CROWD: Final = 100_000


@pytest.fixture
def small() -> None:
    project_entries(small_journal())


@pytest.fixture
def busy() -> None:
    """Ten trades a minute apart, at 50000, 50001, ...; account 1 sells, 2 buys and takes."""
    journal = JournalWriter()
    journal.define()
    journal.commit(after_ms=0)
    for number in range(10):
        price = PRICE + number * 1_000_000
        sell = journal.place(1, Side.SELL, price, BTC)
        buy = journal.place(2, Side.BUY, price, BTC)
        journal.trade(sell, buy, BTC)
        journal.commit(after_ms=MINUTE)
    # One trade in another market, and one in which account 3 meets itself.
    maker = journal.place(1, Side.SELL, 5_000_000, BTC, market="ETHBTC")
    taker = journal.place(2, Side.BUY, 5_000_000, BTC, market="ETHBTC")
    journal.trade(maker, taker, BTC)
    maker = journal.place(3, Side.BUY, PRICE, BTC)
    taker = journal.place(3, Side.SELL, PRICE, BTC)
    journal.trade(maker, taker, BTC)
    journal.commit()
    project_entries(journal.entries)
    update_candles(seconds=60)


@pytest.mark.usefixtures("small")
class TestOrders:
    def test_by_order_id(self) -> None:
        order = selectors.get_order(account=1, market="BTCUSDT", order_id=1)
        assert order is not None
        assert order.executed_quantity == Decimal("1.5")

    def test_by_client_order_id_is_the_newest(self) -> None:
        order = selectors.get_order(account=2, market="BTCUSDT", client_order_id="bid")
        assert order is not None
        assert (order.order_id, order.status) == (4, "new")

    @pytest.mark.parametrize(
        ("account", "market", "order_id", "client_order_id"),
        [
            (2, "BTCUSDT", 1, None),
            (2, "BTCUSDT", None, "ask"),
            (1, "ETHBTC", 1, None),
            (1, "BTCUSDT", 1, "other"),
            (1, "BTCUSDT", None, None),
            (1, "NOSUCH", 1, None),
        ],
    )
    def test_not_of_others_nor_of_elsewhere(
        self, account: int, market: str, order_id: int | None, client_order_id: str | None
    ) -> None:
        found = selectors.get_order(
            account=account, market=market, order_id=order_id, client_order_id=client_order_id
        )
        assert found is None

    @pytest.mark.parametrize(
        ("arguments", "ids"),
        [
            ({}, [2, 3, 4]),
            ({"limit": 2}, [3, 4]),
            ({"before": 4, "limit": 1}, [3]),
            ({"from_id": 3}, [3, 4]),
            ({"from_id": 1, "limit": 1}, [2]),
            ({"start_time": START_MS + 3_000}, [3, 4]),
            ({"start_time": 0, "limit": 1}, [2]),
            ({"end_time": START_MS + 3_000, "limit": 1}, [3]),
            ({"end_time": 2**70}, [2, 3, 4]),
            ({"start_time": -(2**70)}, [2, 3, 4]),
        ],
    )
    @pytest.mark.parametrize("market", ["BTCUSDT", None])
    def test_history(self, market: str | None, arguments: dict[str, int], ids: list[int]) -> None:
        orders = selectors.list_orders(account=2, market=market, **arguments)
        assert [order.order_id for order in orders] == ids


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("oldest", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 7, 500])
def test_orders_of_all_markets_are_in_the_order_of_their_ids(limit: int, oldest: bool) -> None:
    start = 2 if oldest else None
    for account in (1, 2, 3):
        every = Order.objects.filter(account=account).order_by("order_id")
        ids = [order.order_id for order in every if order.order_id >= (start or 0)]
        orders = selectors.list_orders(account=account, limit=limit, from_id=start)
        assert [order.order_id for order in orders] == (ids[:limit] if oldest else ids[-limit:])
    assert len({order.market_id for order in selectors.list_orders(account=1)}) == 2


FILL: Final = """
INSERT INTO markets_order (
    order_id, account, market_id, side, type, time_in_force, price, quantity, post_only,
    status, executed_quantity, executed_quote_quantity, created_at, updated_at, sequence
)
SELECT
    number, 1, CASE WHEN number <= 20 THEN 'ETHBTC' ELSE 'BTCUSDT' END,
    'buy', 'limit', 'gtc', 1, 1, false,
    CASE WHEN mod(number, 1000) = 7 THEN 'new' ELSE 'canceled' END,
    0, 0, now(), now(), number
FROM generate_series(1, %s) AS number
"""


@pytest.fixture
def crowded() -> None:
    """Account 1 has all orders that there are, the oldest twenty of them in ETHBTC."""
    journal = JournalWriter()
    journal.define()
    journal.commit(after_ms=0)
    project_entries(journal.entries)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [CROWD])
        cursor.execute("ANALYZE markets_order")


def pages_read(queries: CaptureQueriesContext) -> int:
    """How many pages of the database these queries touch, asked once more."""
    pages = 0
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query['sql']}")
            (plan,) = cursor.fetchone()[0]
            pages += plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return pages


@pytest.mark.usefixtures("crowded")
def test_a_market_of_few_orders_is_not_looked_for_among_all() -> None:
    pages: list[tuple[str | None, dict[str, int], list[int]]] = [
        (None, {}, [CROWD - 1, CROWD]),
        (None, {"before": 22}, [20, 21]),
        (None, {"from_id": 1}, [1, 2]),
        (None, {"from_id": 20}, [20, 21]),
        ("ETHBTC", {}, [19, 20]),
        ("ETHBTC", {"from_id": 20}, [20]),
        ("BTCUSDT", {"from_id": 1}, [21, 22]),
    ]
    for market, page, ids in pages:
        with CaptureQueriesContext(connection) as queries:
            orders = selectors.list_orders(account=1, market=market, limit=2, **page)
        assert [order.order_id for order in orders] == ids
        assert pages_read(queries) < 100


@pytest.mark.usefixtures("crowded")
def test_open_orders_are_looked_for_among_the_newest_of_each_market() -> None:
    newest = CROWD - selectors.OPEN_AMONG
    orders = selectors.list_open_orders(account=1)
    assert [order.order_id for order in orders] == [7, newest + 7, newest + 1_007]
    assert selectors.list_open_orders(account=2) == []


@pytest.mark.usefixtures("busy")
class TestTrades:
    @pytest.mark.parametrize(
        ("from_id", "limit", "ids"),
        [(None, 3, [9, 10, 11]), (4, 3, [4, 5, 6]), (11, 5, [11]), (12, 5, [])],
    )
    def test_public(self, from_id: int | None, limit: int, ids: list[int]) -> None:
        trades = selectors.list_trades(market="BTCUSDT", limit=limit, from_id=from_id)
        assert [trade.trade_id for trade in trades] == ids

    def test_fills_have_the_accounts_own_side(self) -> None:
        (sold,) = selectors.list_fills(account=1, market="BTCUSDT", limit=1)
        assert (sold.side, sold.liquidity, sold.fee, sold.fee_asset, sold.order_id) == (
            "sell",
            "maker",
            Decimal("50.009"),
            "USDT",
            19,
        )
        (bought,) = selectors.list_fills(account=2, market="BTCUSDT", limit=1)
        assert (bought.side, bought.liquidity, bought.fee, bought.fee_asset, bought.order_id) == (
            "buy",
            "taker",
            Decimal("0.002"),
            "BTC",
            20,
        )

    @pytest.mark.parametrize(
        ("arguments", "ids"),
        [
            ({"limit": 2}, [9, 10]),
            ({"from_id": 2, "limit": 2}, [2, 3]),
            ({"order_id": 5}, [3]),
            ({"order_id": 6}, []),
            ({"start_time": START_MS + MINUTE, "limit": 1}, [2]),
            ({"end_time": START_MS + MINUTE, "limit": 1}, [2]),
        ],
    )
    def test_fills_of_a_market(self, arguments: dict[str, int], ids: list[int]) -> None:
        fills = selectors.list_fills(account=1, market="BTCUSDT", **arguments)
        assert [fill.trade_id for fill in fills] == ids

    def test_fills_of_all_markets_are_in_the_journals_order(self) -> None:
        fills = selectors.list_fills(account=1, limit=2)
        assert [(fill.market, fill.trade_id) for fill in fills] == [("BTCUSDT", 10), ("ETHBTC", 1)]

    def test_who_meets_themselves_has_two_fills(self) -> None:
        fills = selectors.list_fills(account=3)
        assert sorted((fill.side, fill.liquidity) for fill in fills) == [
            ("buy", "maker"),
            ("sell", "taker"),
        ]


@pytest.mark.usefixtures("busy")
class TestKlines:
    @pytest.mark.parametrize(
        ("start", "end", "limit", "minutes"),
        [
            (None, None, 2, [9, 10]),
            (3, None, 2, [3, 4]),
            (None, 5, 2, [4, 5]),
            (3, 4, 9, [3, 4]),
            (3, 9, 2, [3, 4]),
            (11, None, 9, []),
        ],
    )
    def test_paging(
        self, start: int | None, end: int | None, limit: int, minutes: list[int]
    ) -> None:
        first = Interval.M1.open_time(START_MS)
        klines = selectors.list_klines(
            market="BTCUSDT",
            interval=Interval.M1,
            start_time=None if start is None else first + start * MINUTE,
            end_time=None if end is None else first + end * MINUTE,
            limit=limit,
        )
        assert [k.time for k in klines] == [to_datetime(first + m * MINUTE) for m in minutes]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("sequence", "there"), [(0, True), (6, True), (7, False)])
def test_waiting_for_the_projection(sequence: int, there: bool) -> None:
    assert selectors.wait_for_projection(sequence=sequence, timeout=0.02) is there


def test_order_lists() -> None:
    project_entries(operators_journal())
    (row,) = selectors.list_order_lists(account=1, market="BTCUSDT")
    assert (row.list_id, row.order_ids, row.status) == (1, [8, 9], "done")
    assert selectors.list_order_lists(account=1, executing=True) == []
    assert selectors.list_order_lists(account=2) == []
    assert selectors.get_order_list(account=1, client_list_id="oco") == row
    assert selectors.get_order_list(account=2, list_id=1) is None
