"""ccxt, synchronous and asynchronous: `python ccxt_rest.py URL KEY SECRET`."""

import asyncio
import inspect
import sys
from typing import Any
from urllib.parse import urlsplit

import ccxt
import ccxt.async_support

SYMBOL = "BTC/USDT"


def pointed_at(url: str, exchange: Any) -> Any:
    """The one change that a user of ccxt makes."""
    ours = urlsplit(url)
    exchange.urls["api"] = {
        name: urlsplit(theirs)._replace(scheme=ours.scheme, netloc=ours.netloc).geturl()
        for name, theirs in exchange.urls["api"].items()
    }
    return exchange


async def life(exchange: Any) -> None:
    async def ask(answer: Any) -> Any:
        return await answer if inspect.isawaitable(answer) else answer

    markets = await ask(exchange.load_markets())
    market = markets[SYMBOL]
    assert market["spot"], market
    assert market["active"], market
    assert market["precision"] == {"amount": 0.00001, "price": 0.01, "base": 1e-8, "quote": 1e-8}
    assert market["limits"]["cost"]["min"] == 5, market["limits"]

    book = await ask(exchange.fetch_order_book(SYMBOL, 10))
    assert book["asks"][0][0] > book["bids"][0][0] > 0
    before = (await ask(exchange.fetch_balance()))["BTC"]["free"]

    # Limit: placed, asked for, listed, cancelled.
    placed = await ask(exchange.create_order(SYMBOL, "limit", "buy", 0.01, 20000))
    assert (placed["status"], placed["type"], placed["amount"]) == ("open", "limit", 0.01)
    found = await ask(exchange.fetch_order(placed["id"], SYMBOL))
    assert (found["status"], found["price"], found["filled"]) == ("open", 20000, 0)
    assert placed["id"] in [o["id"] for o in await ask(exchange.fetch_open_orders(SYMBOL))]
    canceled = await ask(exchange.cancel_order(placed["id"], SYMBOL))
    assert canceled["status"] == "canceled", canceled
    try:
        await ask(exchange.cancel_order(placed["id"], SYMBOL))
    except ccxt.OrderNotFound:
        pass
    else:
        raise AssertionError("cancelled twice")

    # Market: by quantity, and with a price, which ccxt turns into an amount of quote.
    bought = await ask(exchange.create_order(SYMBOL, "market", "buy", 0.01))
    assert (bought["status"], bought["filled"]) == ("closed", 0.01), bought
    assert bought["trades"][0]["fee"]["currency"] == "BTC"
    again = await ask(exchange.create_order(SYMBOL, "market", "buy", 0.01, 50000))
    assert (again["status"], again["filled"]) == ("closed", 0.01), again
    sold = await ask(exchange.create_order(SYMBOL, "market", "sell", 0.01))
    assert sold["status"] == "closed", sold
    also = await ask(exchange.create_order(SYMBOL, "market", "sell", 0.01, 49000))
    assert (also["status"], also["filled"]) == ("closed", 0.01), also
    immediate = await ask(
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"timeInForce": "IOC"})
    )
    assert (immediate["status"], immediate["filled"]) == ("closed", 0.01), immediate
    maker = await ask(
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 21000, {"postOnly": True})
    )
    assert (await ask(exchange.fetch_order(maker["id"], SYMBOL)))["postOnly"] is True
    try:
        await ask(exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"postOnly": True}))
    except ccxt.OrderImmediatelyFillable:
        pass
    else:
        raise AssertionError("a maker's order took")
    try:
        await ask(exchange.create_order(SYMBOL, "limit", "buy", 500, 50000))
    except ccxt.InsufficientFunds:
        pass
    else:
        raise AssertionError("bought for more than there is")
    assert len(await ask(exchange.cancel_all_orders(SYMBOL))) == 1

    # Conditional: a stop, and what ccxt makes of an edited order, which is a replaced one.
    stop = await ask(
        exchange.create_order(SYMBOL, "limit", "sell", 0.01, 45000, {"stopLossPrice": 46000})
    )
    waiting = await ask(exchange.fetch_order(stop["id"], SYMBOL))
    assert (waiting["status"], waiting["stopPrice"]) == ("open", 46000), waiting
    await ask(exchange.cancel_order(stop["id"], SYMBOL))
    first = await ask(exchange.create_order(SYMBOL, "limit", "buy", 0.01, 20000))
    second = await ask(exchange.edit_order(first["id"], SYMBOL, "limit", "buy", 0.01, 20001))
    assert (second["status"], second["price"]) == ("open", 20001), second
    assert (await ask(exchange.fetch_order(first["id"], SYMBOL)))["status"] == "canceled"
    await ask(exchange.cancel_order(second["id"], SYMBOL))

    mine = await ask(exchange.fetch_my_trades(SYMBOL))
    assert {bought["id"], again["id"], sold["id"], immediate["id"]} <= {t["order"] for t in mine}
    history = await ask(exchange.fetch_orders(SYMBOL))
    assert {placed["id"], bought["id"], maker["id"]} <= {order["id"] for order in history}
    closed = await ask(exchange.fetch_closed_orders(SYMBOL))
    assert bought["id"] in {order["id"] for order in closed}
    after = (await ask(exchange.fetch_balance()))["BTC"]["free"]
    assert after > before

    # What the trades left: tickers, trades, candles.
    ticker = await ask(exchange.fetch_ticker(SYMBOL))
    assert ticker["last"] > 0
    assert SYMBOL in await ask(exchange.fetch_tickers())
    assert SYMBOL in await ask(exchange.fetch_bids_asks())
    assert (await ask(exchange.fetch_last_prices()))[SYMBOL]["price"] > 0
    trades = await ask(exchange.fetch_trades(SYMBOL))
    assert mine[-1]["id"] in {trade["id"] for trade in trades}
    candles = await ask(exchange.fetch_ohlcv(SYMBOL, "1m"))
    assert candles[-1][5] > 0, candles
    fees = await ask(exchange.fetch_trading_fees())
    assert fees[SYMBOL]["taker"] == 0.001, fees[SYMBOL]
    assert (await ask(exchange.fetch_time())) > 1_600_000_000_000
    assert (await ask(exchange.fetch_status()))["status"] == "ok"


def main(url: str, key: str, secret: str) -> None:
    options = {"apiKey": key, "secret": secret, "enableRateLimit": False}
    asyncio.run(life(pointed_at(url, ccxt.binance(options))))

    # As freqtrade's `ccxt_config` says it: the addresses among the settings.
    api = {"public": f"{url}/api/v3", "private": f"{url}/api/v3", "sapi": f"{url}/sapi/v1"}
    spot_only = {"urls": {"api": api}, "options": {"fetchMarkets": ["spot"]}}
    configured = ccxt.binance({**options, **spot_only})
    assert SYMBOL in configured.load_markets()
    assert configured.fetch_balance()["BTC"]["free"] > 0

    async def asynchronous() -> None:
        exchange = pointed_at(url, ccxt.async_support.binance(options))
        try:
            await life(exchange)
        finally:
            await exchange.close()

    asyncio.run(asynchronous())


if __name__ == "__main__":
    main(*sys.argv[1:])
