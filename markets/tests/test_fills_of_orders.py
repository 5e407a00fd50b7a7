"""The fills of several orders: one question, and no error where the tables are behind."""

from collections.abc import Callable

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from engine.core.events import OrderState
from engine.projector.loop import project_entries
from engine.tests.journals import small_journal
from exchange_site.database.remembered import DatabaseUnavailable
from markets import own, selectors
from markets.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[OrderState]:
    monkeypatch.setattr(own, "FILLS_WAIT_S", 0.05)
    project_entries(small_journal())
    return [own.order_state(row) for row in Order.objects.order_by("order_id")]


def test_all_in_two_queries(orders: list[OrderState]) -> None:
    executed = [order for order in orders if order.executed_quantity]
    assert len(executed) > 1
    with CaptureQueriesContext(connection) as queries:
        fills = own.fills_of(orders)
    trades = [query for query in queries if 'FROM "markets_trade"' in query["sql"]]
    assert len(trades) == 2, "the bought and the sold ones"
    for order in executed:
        assert sum(fill.quantity for fill in fills[order.order_id]) == order.executed_quantity


def test_nothing_to_ask(orders: list[OrderState]) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert own.fills_of([order for order in orders if not order.executed_quantity]) == {}
    assert not queries.captured_queries


def test_the_tables_are_behind(orders: list[OrderState], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "list_fills_of", lambda **_: [])
    (order, *_) = [order for order in orders if order.executed_quantity]
    assert own.fills_of([order]) == {order.order_id: []}


def test_the_database_is_away(orders: list[OrderState], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(question: Callable[[], object]) -> object:
        raise DatabaseUnavailable from OperationalError("gone")

    monkeypatch.setattr(own, "ask_patiently", fails)
    (order, *_) = [order for order in orders if order.executed_quantity]
    assert own.fills_of([order]) == {order.order_id: []}
