"""ccxt.pro, each method of its sockets: `python ccxt_pro.py URL KEY SECRET`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import ccxt.pro

SYMBOL = "BTC/USDT"
AMOUNT = 0.0002
PATIENCE_S = 60


def pointed_at(url: str, urls: Any, *, websocket: bool = False) -> Any:
    """The one change that a user of ccxt makes."""
    ours = urlsplit(url)
    scheme = ours.scheme.replace("http", "ws") if websocket else ours.scheme
    return {
        name: pointed_at(url, theirs, websocket=websocket or name == "ws")
        if isinstance(theirs, dict)
        else urlsplit(theirs)._replace(scheme=scheme, netloc=ours.netloc).geturl()
        for name, theirs in urls.items()
    }


async def while_trading(
    exchange: Any, watching: Awaitable[Any], ready: Callable[[], bool] = lambda: True
) -> Any:
    """What the watch method brings while somebody buys, from when it is ready."""

    async def trade() -> None:
        while not ready():
            await asyncio.sleep(0.01)
        while True:
            await exchange.create_order(SYMBOL, "market", "buy", AMOUNT)

    trades = asyncio.ensure_future(trade())
    watched = asyncio.ensure_future(watching)
    try:
        done, _ = await asyncio.wait(
            {trades, watched}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
        )
        assert watched in done, (done, "nothing was watched")
        return watched.result()
    finally:
        for task in (trades, watched):
            task.cancel()


async def life(exchange: Any) -> None:
    await exchange.load_markets()
    watch: Callable[[Awaitable[Any]], Awaitable[Any]] = lambda each: while_trading(exchange, each)  # noqa: E731

    ticker = await watch(exchange.watch_ticker(SYMBOL))
    assert ticker["last"] > 0
    assert SYMBOL in await watch(exchange.watch_tickers([SYMBOL]))
    assert (await watch(exchange.watch_bids_asks([SYMBOL])))[SYMBOL]["bid"] > 0
    trades = await watch(exchange.watch_trades(SYMBOL))
    while AMOUNT not in {trade["amount"] for trade in trades}:  # others trade, too
        trades = await watch(exchange.watch_trades(SYMBOL))
    candles = await watch(exchange.watch_ohlcv(SYMBOL, "1m"))
    assert candles[-1][5] > 0
    book = await watch(exchange.watch_order_book(SYMBOL))
    assert book["bids"][0][0] < book["asks"][0][0]
    several = [SYMBOL, "ETH/BTC"]
    assert await watch(exchange.watch_order_book_for_symbols(several))
    assert await watch(exchange.watch_trades_for_symbols(several))
    assert await watch(exchange.watch_ohlcv_for_symbols([[SYMBOL, "1m"]]))

    # ccxt makes its cache of balances after the answer to its subscription, and fails on an event
    # that comes right behind that.
    balance = await while_trading(
        exchange, exchange.watch_balance(), lambda: "spot" in exchange.balance
    )
    assert balance["BTC"]["total"] > 10
    mine = await watch(exchange.watch_my_trades(SYMBOL))
    assert mine[-1]["side"] == "buy"
    orders = await watch(exchange.watch_orders(SYMBOL))
    assert orders[-1]["symbol"] == SYMBOL

    # Trading over the socket itself.
    placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, 20000)
    assert placed["status"] == "open", placed
    found = await exchange.fetch_order_ws(placed["id"], SYMBOL)
    assert found["price"] == 20000
    assert placed["id"] in {each["id"] for each in await exchange.fetch_open_orders_ws(SYMBOL)}
    edited = await exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.01, 20001)
    assert (edited["price"], edited["status"]) == (20001, "open"), edited
    canceled = await exchange.cancel_order_ws(edited["id"], SYMBOL)
    assert canceled["id"] == edited["id"]
    await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, 20000)
    await exchange.cancel_all_orders_ws(SYMBOL)
    assert await exchange.fetch_open_orders_ws(SYMBOL) == []
    bought = await exchange.create_order_ws(SYMBOL, "market", "buy", AMOUNT)
    assert bought["status"] == "closed", bought

    # And questions.
    account = (await exchange.fetch_balance_ws())["info"]  # it reads no balances out of a spot one
    assert {"BTC", "USDT"} <= {each["asset"] for each in account["balances"]}
    history = await exchange.fetch_orders_ws(SYMBOL)
    assert {edited["id"], bought["id"]} <= {each["id"] for each in history}
    assert bought["id"] in {each["order"] for each in await exchange.fetch_my_trades_ws(SYMBOL)}
    assert (await exchange.fetch_ohlcv_ws(SYMBOL, "1m"))[-1][5] > 0
    assert (await exchange.fetch_trades_ws(SYMBOL))[-1]["amount"] > 0


def main(url: str, key: str, secret: str) -> None:
    async def watch() -> None:
        options = {"apiKey": key, "secret": secret, "enableRateLimit": False}
        exchange = ccxt.pro.binance(options)
        exchange.urls["api"] = pointed_at(url, exchange.urls["api"])
        try:
            await life(exchange)
        finally:
            await exchange.close()

    asyncio.run(watch())


if __name__ == "__main__":
    main(*sys.argv[1:])
