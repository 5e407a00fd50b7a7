"""ccxt.pro keeps a book: `python ccxt_depth.py URL SYMBOL`. It compares when it is asked to.

For each line of its input it waits until its book is as new as the server's, and prints one line:
`equal` and how often it had to begin anew, or what differs.
"""

import asyncio
import json
import sys
from typing import Any

import ccxt.pro
from ccxt.base.errors import ChecksumError, NetworkError
from ccxt_pro import pointed_at


class Follower:
    def __init__(self, exchange: Any, symbol: str) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self.book: Any = None
        self.broken = 0

    async def follow(self) -> None:
        while True:
            try:
                self.book = await self.exchange.watch_order_book(self.symbol)
            except ChecksumError:
                raise
            except NetworkError:
                self.broken += 1

    async def compare(self) -> str:
        while True:
            theirs = await self.exchange.fetch_order_book(self.symbol, 1000)
            while self.book is None or self.book["nonce"] < theirs["nonce"]:
                await asyncio.sleep(0.01)
            if self.book["nonce"] == theirs["nonce"]:
                break
        for side in ("bids", "asks"):
            if [level[:2] for level in self.book[side]] != [level[:2] for level in theirs[side]]:
                return json.dumps({"ours": self.book[side], "theirs": theirs[side]})
        return f"equal {self.broken}"


async def main(url: str, symbol: str) -> None:
    exchange = ccxt.pro.binance({"enableRateLimit": False})
    exchange.urls["api"] = pointed_at(url, exchange.urls["api"])
    follower = Follower(exchange, symbol)
    await exchange.load_markets()
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
        await exchange.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
