"""python-binance, `Client` and `AsyncClient`: `python python_binance.py URL KEY SECRET`."""

import asyncio
import inspect
import sys
from typing import Any

from binance import AsyncClient, Client
from binance.exceptions import BinanceAPIException

SYMBOL = "BTCUSDT"


async def life(client: Any) -> None:
    async def ask(answer: Any) -> Any:
        return await answer if inspect.isawaitable(answer) else answer

    async def refused(answer: Any) -> int:
        try:
            await ask(answer())
        except BinanceAPIException as error:
            return int(error.code)
        raise AssertionError("it was not refused")

    assert await ask(client.ping()) == {}
    assert (await ask(client.get_server_time()))["serverTime"] > 0
    assert SYMBOL in {s["symbol"] for s in (await ask(client.get_exchange_info()))["symbols"]}
    info = await ask(client.get_symbol_info(SYMBOL))
    assert info["filters"][0]["filterType"] == "PRICE_FILTER"
    book = await ask(client.get_order_book(symbol=SYMBOL))
    assert float(book["asks"][0][0]) > float(book["bids"][0][0]) > 0

    # Limit: tested, placed, asked for by both ids, listed, cancelled by either (a body on DELETE).
    terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    terms |= {"quantity": "0.01", "price": "20000"}
    assert await ask(client.create_test_order(**terms)) == {}
    placed = await ask(client.create_order(**terms))
    assert (placed["status"], placed["fills"]) == ("NEW", [])
    found = await ask(client.get_order(symbol=SYMBOL, orderId=placed["orderId"]))
    assert (found["status"], found["price"]) == ("NEW", "20000.00000000")
    by_name = {"symbol": SYMBOL, "origClientOrderId": placed["clientOrderId"]}
    assert (await ask(client.get_order(**by_name)))["orderId"] == placed["orderId"]
    opened = await ask(client.get_open_orders(symbol=SYMBOL))
    assert placed["orderId"] in {order["orderId"] for order in opened}
    assert (await ask(client.cancel_order(**by_name)))["status"] == "CANCELED"
    assert await refused(lambda: client.cancel_order(**by_name)) == -2011
    helped = await ask(client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price="20001"))
    canceled = await ask(client.cancel_order(symbol=SYMBOL, orderId=helped["orderId"]))
    assert canceled["orderId"] == helped["orderId"]

    # Market, and what is refused.
    bought = await ask(client.order_market_buy(symbol=SYMBOL, quantity="0.01"))
    assert bought["status"] == "FILLED", bought
    assert bought["fills"][0]["commissionAsset"] == "BTC"
    spent = await ask(client.order_market_buy(symbol=SYMBOL, quoteOrderQty="500"))
    assert spent["status"] == "FILLED", spent
    sold = await ask(client.order_market_sell(symbol=SYMBOL, quantity="0.01"))
    assert sold["status"] == "FILLED", sold
    for refusal, change in ((-2010, {"quantity": "900"}), (-1013, {"price": "20000.001"})):
        assert await refused(lambda c=change: client.create_order(**{**terms, **c})) == refusal

    # One cancels the other, and a stop.
    pair = await ask(
        client.create_oco_order(
            symbol=SYMBOL,
            side="SELL",
            quantity="0.01",
            aboveType="LIMIT_MAKER",
            abovePrice="60000",
            belowType="STOP_LOSS",
            belowStopPrice="40000",
        )
    )
    assert (pair["listOrderStatus"], len(pair["orderReports"])) == ("EXECUTING", 2), pair
    assert [p["orderListId"] for p in await ask(client.get_open_oco_orders())] == [
        pair["orderListId"]
    ]
    await ask(client.cancel_order(symbol=SYMBOL, orderId=pair["orders"][0]["orderId"]))
    assert await ask(client.get_open_oco_orders()) == []
    stop = {**terms, "side": "SELL", "type": "STOP_LOSS_LIMIT", "stopPrice": "40000"}
    waiting = await ask(client.create_order(**{**stop, "price": "39000"}))
    await ask(client.cancel_order(symbol=SYMBOL, orderId=waiting["orderId"]))

    await ask(client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price="20002"))
    mine = await ask(client.get_my_trades(symbol=SYMBOL))
    assert {bought["orderId"], spent["orderId"], sold["orderId"]} <= {t["orderId"] for t in mine}
    of_one = await ask(client.get_my_trades(symbol=SYMBOL, orderId=bought["orderId"]))
    assert [t["id"] for t in of_one] == [fill["tradeId"] for fill in bought["fills"]]
    history = await ask(client.get_all_orders(symbol=SYMBOL))
    assert {placed["orderId"], bought["orderId"]} <= {order["orderId"] for order in history}
    for order in await ask(client.get_open_orders(symbol=SYMBOL)):
        await ask(client.cancel_order(symbol=SYMBOL, orderId=order["orderId"]))
    account = await ask(client.get_account())
    assert {"BTC", "USDT"} <= {balance["asset"] for balance in account["balances"]}
    assert float((await ask(client.get_asset_balance(asset="BTC")))["free"]) > 0
    fee = await ask(client.get_trade_fee(symbol=SYMBOL))
    assert fee == [{"symbol": SYMBOL, "makerCommission": "0.001", "takerCommission": "0.001"}]

    # What the trades left.
    assert float((await ask(client.get_ticker(symbol=SYMBOL)))["lastPrice"]) > 0
    assert SYMBOL in {t["symbol"] for t in await ask(client.get_all_tickers())}
    assert float((await ask(client.get_symbol_ticker(symbol=SYMBOL)))["price"]) > 0
    assert float((await ask(client.get_orderbook_ticker(symbol=SYMBOL)))["bidPrice"]) > 0
    assert SYMBOL in {t["symbol"] for t in await ask(client.get_orderbook_tickers())}
    assert float((await ask(client.get_avg_price(symbol=SYMBOL)))["price"]) > 0
    trades = await ask(client.get_recent_trades(symbol=SYMBOL))
    assert mine[-1]["id"] in {trade["id"] for trade in trades}
    older = await ask(client.get_historical_trades(symbol=SYMBOL, fromId=mine[0]["id"]))
    assert older[0]["id"] == mine[0]["id"]
    aggregates = await ask(client.get_aggregate_trades(symbol=SYMBOL, fromId=mine[-1]["id"]))
    assert aggregates[0]["a"] == mine[-1]["id"]
    candles = await ask(client.get_klines(symbol=SYMBOL, interval="1m"))
    assert float(candles[-1][5]) > 0, candles
    long_ago = await ask(client.get_historical_klines(SYMBOL, "1m", "1 day ago UTC"))
    assert candles[-1][0] in {candle[0] for candle in long_ago}

    key = await ask(client.stream_get_listen_key())
    assert await ask(client.stream_keepalive(key)) == {}
    assert await ask(client.stream_close(key)) == {}


def main(url: str, key: str, secret: str) -> None:
    for kind in (Client, AsyncClient):
        kind.API_URL = f"{url}/api"
        kind.MARGIN_API_URL = f"{url}/sapi"
    asyncio.run(life(Client(key, secret)))

    async def asynchronous() -> None:
        client = await AsyncClient.create(key, secret)
        try:
            await life(client)
        finally:
            await client.close_connection()

    asyncio.run(asynchronous())


if __name__ == "__main__":
    main(*sys.argv[1:])
