"""Orders over the WebSocket API: one by one and in lists of 20, from one client process.

Each session keeps ORDERS_UNDER_WAY orders without an answer; all is on the way, the journal's fsync
too. Orders stand; they are counted afterwards.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import connect

from bench.exchanges import running_exchange
from markets.binance.tests.client import order
from realtime.tests.api_client import ApiClient, stamped

SESSIONS: Final = 4
ORDERS: Final = 8_000
LIST: Final = 20
ORDERS_UNDER_WAY: Final = 80


def run() -> Iterator[dict[str, Any]]:
    with running_exchange() as exchange:
        funds = {"BTC": "100000", "ETH": "1000"}
        credentials = exchange.create_user("bench", fund=funds)
        web = exchange.process_of("exchange_site.asgi:application")
        rates, costs = {}, {}
        for size in (1, LIST):
            before = _cpu_s(web)
            rates[size] = asyncio.run(_measure(exchange.url, credentials, size))
            costs[size] = (_cpu_s(web) - before) / ORDERS * 1_000_000
        placed = exchange.state()["open_orders"]["ETHBTC"]
    assert placed == 2 * ORDERS, placed
    for size, rate in rates.items():
        yield {
            "bench": "sockets",
            "value": round(rate),
            "unit": "orders/s",
            "what": "orders one by one" if size == 1 else f"orders in lists of {size}",
            "web_cpu_us": round(costs[size]),
            "sessions": SESSIONS,
            "under_way": SESSIONS * ORDERS_UNDER_WAY,
        }


def _cpu_s(process: int) -> float:
    """Of the processor, that the process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _measure(url: str, credentials: Any, size: int) -> float:
    requests = ORDERS // SESSIONS // size
    started = time.perf_counter()
    await asyncio.gather(*(_session(url, credentials, size, requests) for _ in range(SESSIONS)))
    return ORDERS / (time.perf_counter() - started)


async def _session(url: str, credentials: Any, size: int, requests: int) -> None:
    async with connect(f"{url.replace('http', 'ws', 1)}/ws-api/v3") as socket:
        client = ApiClient(socket, credentials)
        await client.log_on()
        under_way: list[int] = []
        for _ in range(requests):
            if len(under_way) == ORDERS_UNDER_WAY // size:
                await _check(client, under_way.pop(0))
            under_way.append(await _place(client, size))
        for number in under_way:
            await _check(client, number)


async def _place(client: ApiClient, size: int) -> int:
    terms = order(quantity="0.01", newOrderRespType="ACK")
    if size == 1:
        return await client.send("order.place", stamped(terms))
    return await client.send("orders.place", stamped({"orders": [terms] * size}))


async def _check(client: ApiClient, number: int) -> None:
    answer = await client.answer(number)
    assert answer["status"] == 200, answer
    results = answer["result"] if isinstance(answer["result"], list) else [answer]
    assert all(each["status"] == 200 for each in results), answer
