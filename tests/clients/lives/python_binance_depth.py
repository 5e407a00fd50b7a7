"""python-binance's DepthCacheManager keeps a book: `python python_binance_depth.py URL SYMBOL`.

It compares when it is asked to, as `ccxt_depth.py` does; and says how often it took a snapshot.
"""

import asyncio
import json
import sys
from typing import Any

from binance import AsyncClient, BinanceSocketManager
from binance.ws.depthcache import DepthCacheManager


class Follower:
    def __init__(self, manager: Any, client: Any, symbol: str) -> None:
        self.manager = manager
        self.client = client
        self.symbol = symbol
        self.snapshots = 0
        self.take_snapshot = client.get_order_book
        client.get_order_book = self.count

    async def count(self, **wanted: Any) -> Any:
        self.snapshots += 1
        return await self.take_snapshot(**wanted)

    async def follow(self) -> None:
        async with self.manager as cache:
            while True:
                await cache.recv()

    async def compare(self) -> str:
        while True:
            theirs = await self.take_snapshot(symbol=self.symbol, limit=1000)
            while (getattr(self.manager, "_last_update_id", None) or 0) < theirs["lastUpdateId"]:
                await asyncio.sleep(0.01)
            if self.manager._last_update_id == theirs["lastUpdateId"]:
                break
        book = self.manager.get_depth_cache()
        for side, levels in (("bids", book.get_bids()), ("asks", book.get_asks())):
            expected = [[float(price), float(quantity)] for price, quantity in theirs[side]]
            if levels != expected:
                return json.dumps({"ours": levels, "theirs": expected})
        return f"equal {self.snapshots}"


async def main(url: str, symbol: str) -> None:
    AsyncClient.API_URL = f"{url}/api"
    BinanceSocketManager.STREAM_URL = f"{url.replace('http', 'ws', 1)}/"
    client = await AsyncClient.create()
    manager = DepthCacheManager(client, symbol, refresh_interval=0, ws_interval=100)
    follower = Follower(manager, client, symbol)
    following = asyncio.create_task(follower.follow())
    try:
        while await asyncio.to_thread(sys.stdin.readline):
            comparing = asyncio.create_task(follower.compare())
            await asyncio.wait({following, comparing}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
            print(await comparing, flush=True)
    finally:
        following.cancel()
        await client.close_connection()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
