"""The bare core: messages a second on one core, without Redis, encoding or processes.

The mix is 50 % new limit orders (15 % of them IOC), 41 % cancels and 9 % amends, on a book that
keeps its size; fees, balances, events and replies are included. The commands are drawn
beforehand, with an engine that carries them out, and then timed on a fresh one: both do the same.
"""

import gc
import random
import resource
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from engine.compiled import is_compiled
from engine.core.acceptance import complete_reply
from engine.core.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    DefineAsset,
    DefineMarket,
    Deposit,
    OrderTerms,
    PlaceOrder,
)
from engine.core.engine import Engine
from engine.core.events import OrderState
from engine.core.replies import OrderReply
from engine.core.types import OrderStatus, OrderType, Side, TimeInForce

MESSAGES = 200_000
SMALL_BOOK = 10_000
LARGE_BOOK = 1_000_000
REPEATS = 5
SPREAD_CENTS = 200
"""How far from the middle resting orders are placed on average, in the small book."""
UNIT = 10**8
ACCOUNTS = range(1, 101)
FAR_FUTURE = 2**53
SYMBOL = "BTCUSDT"
STANDING = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


def setup_commands() -> list[Command]:
    """A market, and accounts with more than they can spend."""
    setup: list[Command] = [DefineAsset("BTC", 8), DefineAsset("USDT", 8)]
    setup.append(
        DefineMarket(
            symbol=SYMBOL,
            base="BTC",
            quote="USDT",
            tick=UNIT // 100,
            step=1_000,
            min_quantity=1_000,
            max_quantity=10**14,
            min_notional=5 * UNIT,
            band_down_ppm=200_000,
            band_up_ppm=5_000_000,
            maker_fee_ppm=200,
            taker_fee_ppm=500,
        )
    )
    for account in ACCOUNTS:
        setup.append(Deposit(account, "BTC", 10**6 * UNIT, f"btc-{account}"))
        setup.append(Deposit(account, "USDT", 5 * 10**8 * UNIT, f"usdt-{account}"))
    return setup


def funded_engine() -> Engine:
    engine = Engine()
    engine.advance(1)
    for command in setup_commands():
        engine.apply(command)
    return engine


def random_order(
    chance: random.Random, mid: int, *, ioc: bool, spread: int = SPREAD_CENTS
) -> PlaceOrder:
    """A limit order around `mid` cents: resting ones away from it, IOC ones through it."""
    side = chance.choice((Side.BUY, Side.SELL))
    away = int(chance.expovariate(1 / spread)) + 1
    cents = mid - away if (side is Side.BUY) != ioc else mid + away
    terms = OrderTerms(
        account=chance.choice(ACCOUNTS),
        market=SYMBOL,
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if ioc else TimeInForce.GTC,
        price=cents * UNIT // 100,
        quantity=chance.randint(20, 2_000) * 1_000,
    )
    return PlaceOrder(terms, FAR_FUTURE)


class Mix:
    """Draws commands one after the other, and knows what stands by carrying them out."""

    def __init__(self, seed: int, resting: int, spread: int) -> None:
        self._chance = random.Random(seed)
        self._spread = spread
        self._engine = funded_engine()
        self._live: list[OrderState] = []
        self.filling: list[Command] = []
        while len(self._live) < resting:
            self.filling.append(self._apply(self._order(ioc=False)))

    def message(self) -> Command:
        draw = self._chance.random()
        if draw < 0.5 or not self._live:
            return self._apply(self._order(ioc=self._chance.random() < 0.15))
        # Most messages are about the newest orders: they live for milliseconds.
        index = max(0, len(self._live) - 1 - int(self._chance.expovariate(1 / 1_000)))
        order = self._live[index]
        account, order_id = order.terms.account, order.order_id
        if draw < 0.91:
            self._live[index] = self._live[-1]
            self._live.pop()
            return self._apply(CancelOrder(account, SYMBOL, order_id=order_id))
        quantity = (order.terms.quantity or 0) - 1_000
        return self._apply(
            AmendOrder(account, SYMBOL, FAR_FUTURE, order_id=order_id, quantity=quantity)
        )

    def _order(self, *, ioc: bool) -> PlaceOrder:
        return random_order(self._chance, 5_000_000, ioc=ioc, spread=self._spread)

    def _apply(self, command: Command) -> Command:
        reply = complete_reply(self._engine.apply(command)[0], command)
        if isinstance(command, PlaceOrder) and isinstance(reply, OrderReply):
            self._live += [reply.order] if reply.order.status in STANDING else []
        return command


def measure(seed: int, resting: int, messages: int, spread: int) -> tuple[float, int]:
    """Messages a second of CPU time, and bytes of memory a resting order."""
    mix = Mix(seed, resting, spread)
    commands = [mix.message() for _ in range(messages)]
    engine = funded_engine()
    before = resident_bytes()
    for command in mix.filling:
        engine.apply(command)
    memory = (resident_bytes() - before) // resting
    del mix
    gc.collect()
    gc.disable()  # as in the engine process
    apply = engine.apply
    started = time.perf_counter()
    for command in commands:
        apply(command)
    elapsed = time.perf_counter() - started
    gc.enable()
    return messages / elapsed, memory


def resident_bytes() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def run() -> Iterator[dict[str, Any]]:
    small = [measure(seed, SMALL_BOOK, MESSAGES, SPREAD_CENTS)[0] for seed in range(REPEATS)]
    yield {
        "bench": "core",
        "value": round(median(small)),
        "unit": "messages/s",
        "resting_orders": SMALL_BOOK,
        "repeats": REPEATS,
        "lowest": round(min(small)),
        "highest": round(max(small)),
        "compiled_core": is_compiled(),
    }
    large, memory = measure(0, LARGE_BOOK, MESSAGES, 100 * SPREAD_CENTS)
    yield {
        "bench": "core-large",
        "value": round(large),
        "unit": "messages/s",
        "resting_orders": LARGE_BOOK,
        "of_small": round(large / median(small), 2),
        "bytes_per_resting_order": memory,
    }
