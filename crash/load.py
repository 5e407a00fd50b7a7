"""Orders at a steady rate, from a process that nobody kills: `python -m crash.load URL FILE RATE`.

They go straight to the engine's queue, in lists, since a web server in Python on the same cores
would leave little for the engine. Names are idempotency keys: what is unknown is sent again.
"""

import logging
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from crash.record import ACKNOWLEDGED, REFUSED, SENT, UNKNOWN, RecordWriter
from engine.client import Answer, EngineClient, EngineUnavailable, StatusUnknown
from engine.core.commands import Deposit, OrderTerms, PlaceOrder
from engine.core.replies import Done, OrderReply
from engine.core.types import OrderType, Side, TimeInForce
from engine.engine_time import ENGINE_TIME

MARKET: Final = "ETHBTC"
ACCOUNTS: Final = range(9_001, 9_021)
"""Far from those of users."""
FUNDS: Final = {"ETH": 10**16, "BTC": 10**15}
PRICE: Final = 5_000_000
TICK: Final = 1_000
QUANTITY: Final = 10_000_000
LIFETIME_MS: Final = 5_000

TICKS_A_SECOND: Final = 40
GIVE_UP_S: Final = 10.0
MAX_AGAIN: Final = 20_000
"""Orders of unknown fate that wait to be sent again; more than these stay unknown."""


class Waiting(NamedTuple):
    since: float
    future: Future[Answer]


class Load:
    """`rate`: orders a second."""

    def __init__(self, client: EngineClient, record: RecordWriter, rate: int, seed: int) -> None:
        self._client = client
        self._record = record
        self._each_tick = max(1, rate // TICKS_A_SECOND)
        self._most_waiting = rate
        """A second's worth: more would only grow old in the queue while a part is away."""
        self._chance = random.Random(seed)
        self._number = 0
        self._waiting: deque[Waiting] = deque()
        self._again: deque[PlaceOrder] = deque()

    def fund(self) -> None:
        """Deposits, until the engine has confirmed each."""
        for account in ACCOUNTS:
            for asset, amount in FUNDS.items():
                deposit = Deposit(account, asset, amount, f"load-{account}-{asset}")
                answer = self._client.call(deposit, timeout=30.0)
                assert isinstance(answer.reply, Done), answer

    def run(self, should_stop: Callable[[], bool]) -> None:
        due = time.monotonic()
        while not should_stop():
            self._give_up(GIVE_UP_S)
            if len(self._waiting) < self._most_waiting:
                self._send(self._next_orders())
            due = max(due + 1 / TICKS_A_SECOND, time.monotonic() - 1.0)
            time.sleep(max(0.0, due - time.monotonic()))
        deadline = time.monotonic() + GIVE_UP_S
        while self._waiting and time.monotonic() < deadline:
            time.sleep(0.1)
            self._give_up(GIVE_UP_S)
        self._give_up(0.0)

    def _next_orders(self) -> list[PlaceOrder]:
        again = [self._again.popleft() for _ in range(min(len(self._again), self._each_tick // 4))]
        return again + [self._new_order() for _ in range(self._each_tick - len(again))]

    def _new_order(self) -> PlaceOrder:
        """Around one price, on both sides: most trade, and some rest."""
        self._number += 1
        name = f"load-{self._number}"
        chance = self._chance
        terms = OrderTerms(
            account=chance.choice(ACCOUNTS),
            market=MARKET,
            side=chance.choice((Side.BUY, Side.SELL)),
            type=OrderType.LIMIT,
            time_in_force=chance.choice((TimeInForce.GTC, TimeInForce.IOC, TimeInForce.IOC)),
            price=PRICE + chance.randint(-20, 20) * TICK,
            quantity=chance.randint(1, 20) * QUANTITY,
            client_order_id=name,
        )
        return PlaceOrder(terms, ENGINE_TIME.now_ms() + LIFETIME_MS, f"order:{name}")

    def _send(self, orders: list[PlaceOrder]) -> None:
        names = [order.terms.client_order_id or "" for order in orders]
        self._record.note_all(SENT, names)
        try:
            futures = self._client.send_all(orders)
        except EngineUnavailable:
            return  # not handed over: it may be sent, or not, and took no effect by this
        except StatusUnknown:
            for order in orders:
                self._note_unknown(order)
            return
        now = time.monotonic()
        for order, future in zip(orders, futures, strict=True):
            future.add_done_callback(partial(self._done, order))
            self._waiting.append(Waiting(now, future))

    def _done(self, order: PlaceOrder, future: Future[Answer]) -> None:
        if future.cancelled() or future.exception() is not None:
            self._note_unknown(order)
            return
        name, reply = order.terms.client_order_id or "", future.result().reply
        if isinstance(reply, OrderReply):
            self._record.note(ACKNOWLEDGED, name, reply.order.order_id)
        else:
            self._record.note(REFUSED, name)

    def _note_unknown(self, order: PlaceOrder) -> None:
        self._record.note(UNKNOWN, order.terms.client_order_id or "")
        if len(self._again) < MAX_AGAIN:
            self._again.append(order)

    def _give_up(self, after_s: float) -> None:
        before = time.monotonic() - after_s
        while self._waiting and (
            self._waiting[0].future.done() or self._waiting[0].since <= before
        ):
            self._waiting.popleft().future.cancel()


def main(url: str, path: str, rate: str) -> None:
    logging.disable(logging.WARNING)  # that its connections break is what this is about
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    record = RecordWriter(Path(path))
    client = EngineClient(url)
    load = Load(client, record, int(rate), seed=1)
    load.fund()
    print("funded", flush=True)
    load.run(stop.is_set)
    client.close()
    record.note_all(SENT, ())


if __name__ == "__main__":
    main(*sys.argv[1:])
