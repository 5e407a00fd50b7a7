"""Many markets and many accounts: what the core needs to start, to hold them, and to trade.

500 markets against one quote asset, 100,000 accounts that hold it and one base asset each. The
start-up is that of an engine that restores its snapshot.
"""

import gc
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.core import FAR_FUTURE, UNIT, resident_bytes
from engine.compiled import is_compiled
from engine.core.commands import (
    Command,
    DefineAsset,
    DefineMarket,
    Deposit,
    OrderTerms,
    PlaceOrder,
)
from engine.core.engine import Engine
from engine.core.snapshot import decode_snapshot, encode_snapshot, restore_snapshot, take_snapshot
from engine.core.types import OrderType, Side, TimeInForce

MARKETS = 500
ACCOUNTS = 100_000
MESSAGES = 200_000


def setup_commands(markets: int = MARKETS, accounts: int = ACCOUNTS) -> Iterator[Command]:
    yield DefineAsset("USDT", 8)
    for number in range(markets):
        yield DefineAsset(f"C{number}", 8)
        yield DefineMarket(
            symbol=f"C{number}USDT",
            base=f"C{number}",
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
    for account in range(1, accounts + 1):
        yield Deposit(account, "USDT", 10**6 * UNIT, f"usdt-{account}")
        yield Deposit(account, f"C{account % markets}", 10**4 * UNIT, f"base-{account}")


def random_order(
    chance: random.Random, markets: int = MARKETS, accounts: int = ACCOUNTS
) -> PlaceOrder:
    """Of any account, in the market whose asset it holds; one in six takes what stands there."""
    account = chance.randint(1, accounts)
    side = chance.choice((Side.BUY, Side.SELL))
    takes = chance.random() < 0.15
    away = int(chance.expovariate(1 / 200)) + 1
    cents = 10_000 - away if (side is Side.BUY) != takes else 10_000 + away
    terms = OrderTerms(
        account=account,
        market=f"C{account % markets}USDT",
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if takes else TimeInForce.GTC,
        price=max(1, cents) * UNIT // 100,
        quantity=chance.randint(100, 2_000) * 10**5,
    )
    return PlaceOrder(terms, FAR_FUTURE)


def run() -> Iterator[dict[str, Any]]:
    """In a process of its own: this one may give back, meanwhile, what earlier benches took."""
    measuring = [sys.executable, "-m", "bench.scale"]
    yield json.loads(subprocess.run(measuring, stdout=subprocess.PIPE, check=True).stdout)


def measure() -> dict[str, Any]:
    chance = random.Random(1)
    before = resident_bytes()
    engine = Engine()
    engine.advance(1)
    for command in setup_commands():
        engine.apply(command)
    gc.collect()
    memory = resident_bytes() - before
    orders = [random_order(chance) for _ in range(MESSAGES)]
    gc.disable()  # as in the engine process
    started = time.perf_counter()
    for order in orders:
        engine.apply(order)
    rate = MESSAGES / (time.perf_counter() - started)
    gc.enable()
    snapshot = encode_snapshot(take_snapshot(engine))
    started = time.perf_counter()
    restore_snapshot(Engine(), decode_snapshot(snapshot))
    return {
        "bench": "scale",
        "value": round(rate),
        "unit": "orders/s",
        "compiled_core": is_compiled(),
        "markets": MARKETS,
        "accounts": ACCOUNTS,
        "memory_mb": round(memory / 2**20),
        "snapshot_mb": round(len(snapshot) / 2**20, 1),
        "start_seconds": round(time.perf_counter() - started, 2),
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
