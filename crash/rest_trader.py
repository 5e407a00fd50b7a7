"""Orders through the front door, one after the other."""

import threading
import uuid

import httpx

from crash.record import ACKNOWLEDGED, REFUSED, SENT, UNKNOWN, Record
from exchange_site.tests.running import RunningExchange
from markets.tests.native import NativeClient, order

NOTHING_WAS_DONE = {"ENGINE_UNAVAILABLE", "ENGINE_OVERLOADED", "EXPIRED"}


class RestTrader(threading.Thread):
    """Notes what it is told of each order. `unexpected` is an answer that should not have come."""

    def __init__(self, exchange: RunningExchange, number: int, record: Record) -> None:
        super().__init__(daemon=True)
        funds = {"BTC": "1000", "ETH": "100000"}
        user = exchange.create_user(f"crash-{number}", fund=funds)
        self._client = NativeClient(exchange.url, user)
        self._side = "buy" if number % 2 else "sell"
        self._record = record
        self.stop = threading.Event()
        self.unexpected: str | None = None

    def run(self) -> None:
        while not self.stop.is_set() and self.unexpected is None:
            name = uuid.uuid4().hex
            self._record.note(SENT, name)
            fields = order(side=self._side, price="0.05", quantity="0.1", client_order_id=name)
            try:
                answer = self._client.post("/order", fields)
            except httpx.HTTPError:
                self._record.note(UNKNOWN, name)
                continue
            if answer.status_code == 200:
                self._record.note(ACKNOWLEDGED, name, answer.json()["order_id"])
            elif answer.json()["code"] == "STATUS_UNKNOWN":
                self._record.note(UNKNOWN, name)
            elif answer.json()["code"] in NOTHING_WAS_DONE:
                self._record.note(REFUSED, name)
            else:
                self.unexpected = answer.text
