"""The bare core: messages a second on one core, without Redis, encoding or processes.

New limit orders, 15 % of them IOC, and a cancel of a random order for each one that stands, so
that the book keeps its `RESTING` orders. Fees, balances and events are included.
"""

import random
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from engine.core.commands import (
    CancelOrder,
    Command,
    DefineAsset,
    DefineMarket,
    Deposit,
    OrderTerms,
    PlaceOrder,
)
from engine.core.engine import Engine
from engine.core.replies import OrderReply
from engine.core.types import OrderType, Side, TimeInForce

ORDERS = 100_000
RESTING = 10_000
REPEATS = 5
UNIT = 10**8
ACCOUNTS = range(1, 101)
FAR_FUTURE = 2**53


def setup_commands() -> list[Command]:
    """A market, and accounts with more than they can spend."""
    setup: list[Command] = [DefineAsset("BTC", 8), DefineAsset("USDT", 8)]
    setup.append(
        DefineMarket(
            symbol="BTCUSDT",
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


def random_order(chance: random.Random, mid: int, *, ioc: bool) -> PlaceOrder:
    """A limit order around `mid` cents: resting ones away from it, IOC ones through it."""
    side = chance.choice((Side.BUY, Side.SELL))
    away = int(chance.expovariate(1 / 200)) + 1
    cents = mid - away if (side is Side.BUY) != ioc else mid + away
    terms = OrderTerms(
        account=chance.choice(ACCOUNTS),
        market="BTCUSDT",
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if ioc else TimeInForce.GTC,
        price=cents * UNIT // 100,
        quantity=chance.randint(20, 2_000) * 1_000,
    )
    return PlaceOrder(terms, FAR_FUTURE)


def measure(seed: int) -> float:
    chance = random.Random(seed)
    engine, mid = funded_engine(), 5_000_000
    live: list[OrderReply] = []
    while len(live) < RESTING:
        reply, _ = engine.apply(random_order(chance, mid, ioc=False))
        if isinstance(reply, OrderReply):
            live.append(reply)
    orders = [random_order(chance, mid, ioc=chance.random() < 0.15) for _ in range(ORDERS)]
    messages = ORDERS
    started = time.perf_counter()
    for order in orders:
        reply, _ = engine.apply(order)
        if order.terms.time_in_force is TimeInForce.IOC or not isinstance(reply, OrderReply):
            continue
        index = int(chance.random() * len(live))
        victim, live[index] = live[index].order, reply
        engine.apply(CancelOrder(victim.terms.account, "BTCUSDT", order_id=victim.order_id))
        messages += 1
    return messages / (time.perf_counter() - started)


def run() -> Iterator[dict[str, Any]]:
    rates = [measure(seed) for seed in range(REPEATS)]
    yield {
        "bench": "core",
        "value": round(median(rates)),
        "unit": "messages/s",
        "resting_orders": RESTING,
        "repeats": REPEATS,
        "lowest": round(min(rates)),
        "highest": round(max(rates)),
    }
