"""The engine is killed again and again while orders flow; an auditor reads the journal."""

import os
import signal
import threading
import uuid
from collections import Counter
from decimal import Decimal
from typing import Any

import httpx
import psycopg

from engine.connections import connect
from engine.core.events import OrderUpdated
from engine.core.snapshot import state_hash
from engine.core.types import NEW
from engine.journal import read_all_after
from engine.worker.recovery import Replica
from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange
from exchange_site.tests.settings import TEST_CONTROLLER
from markets.tests.native import NativeClient, order

KILLS = 20
ACKNOWLEDGED_BETWEEN_KILLS = 15
CLIENTS = 4


class Trader(threading.Thread):
    """Sends orders, one after the other, and keeps what it was told of each."""

    def __init__(self, exchange: RunningExchange, number: int) -> None:
        super().__init__(daemon=True)
        funds = {"BTC": "1000", "ETH": "100000"}
        self._client = NativeClient(
            exchange.url, exchange.create_user(f"crash-{number}", fund=funds)
        )
        self._side = "buy" if number % 2 else "sell"
        self.acknowledged: dict[str, int] = {}
        self.unknown: list[str] = []
        self.sent: set[str] = set()
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            name = uuid.uuid4().hex
            self.sent.add(name)
            fields = order(side=self._side, price="0.05", quantity="0.1", client_order_id=name)
            try:
                answer = self._client.post("/order", fields)
            except httpx.HTTPError:
                self.unknown.append(name)
                continue
            if answer.status_code == 200:
                self.acknowledged[name] = answer.json()["order_id"]
            elif answer.json()["code"] == "STATUS_UNKNOWN":
                self.unknown.append(name)
            else:
                assert answer.json()["code"] in {"ENGINE_UNAVAILABLE", "EXPIRED"}, answer.text


def test_no_acknowledged_order_is_lost_or_doubled(fragile: RunningExchange) -> None:
    traders = [Trader(fragile, number) for number in range(CLIENTS)]
    for trader in traders:
        trader.start()

    def acknowledged() -> int:
        return sum(len(trader.acknowledged) for trader in traders)

    for _ in range(KILLS):
        goal = acknowledged() + ACKNOWLEDGED_BETWEEN_KILLS
        wait_until(lambda goal=goal: acknowledged() >= goal, "orders are acknowledged again")  # type: ignore[misc]
        engine = fragile.process_of("run_engine")
        assert engine, "the engine runs"
        os.kill(engine, signal.SIGKILL)
    goal = acknowledged() + ACKNOWLEDGED_BETWEEN_KILLS
    wait_until(lambda: acknowledged() >= goal, "orders are acknowledged after the last kill")
    for trader in traders:
        trader.stop.set()
        trader.join()

    placed: Counter[str] = Counter()
    ids: dict[str, int] = {}
    replica = Replica()
    epochs = set()
    for entry in read_all_after(connect(fragile.engine_redis_url), 0):
        replica.apply(entry)
        epochs.add(entry.epoch)
        for event in (event for events in entry.decode_events() for event in events):
            if isinstance(event, OrderUpdated) and event.order.status is NEW:
                name = event.order.terms.client_order_id or ""
                placed[name] += 1
                ids[name] = event.order.order_id

    for trader in traders:
        for name, order_id in trader.acknowledged.items():
            assert placed[name] == 1, "an acknowledged order stands in the journal once"
            assert ids[name] == order_id
        for name in trader.unknown:
            assert placed[name] <= 1, "an order of unknown status was placed at most once"
    sent = set().union(*(trader.sent for trader in traders))
    assert set(placed) <= sent, "no order was invented"
    assert len(epochs) >= KILLS, "the kills hit engines that led"

    state = fragile.state()
    assert state["state_hash"] == state_hash(replica.engine)
    assert all(Decimal(asset["sum"]) == 0 for asset in state["assets"].values())
    _assert_tables_agree(fragile, ids, traders)


def _assert_tables_agree(
    exchange: RunningExchange, ids: dict[str, int], traders: list[Trader]
) -> None:
    def projected() -> Any:
        with psycopg.connect(exchange.database_url) as connection:
            rows = connection.execute("SELECT client_order_id, order_id FROM markets_order")
            return dict(rows.fetchall())

    wait_until(lambda: len(projected()) >= len(ids), "the projector has caught up")
    tables = projected()
    for trader in traders:
        assert trader.acknowledged.items() <= tables.items()


def test_a_second_start_goes_on_where_the_first_ended(fragile: RunningExchange) -> None:
    before = fragile.state()
    fragile.stop()
    fragile.start(while_running=TEST_CONTROLLER)
    after = fragile.state()
    assert after["state_hash"] == before["state_hash"]
    assert after["assets"] == before["assets"]
