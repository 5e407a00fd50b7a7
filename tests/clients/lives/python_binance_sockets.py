"""python-binance's sockets: `python python_binance_sockets.py URL KEY SECRET`."""

import asyncio
import queue
import sys
from typing import Any

from binance import AsyncClient, BinanceSocketManager, Client, ThreadedWebsocketManager
from binance.ws.depthcache import DepthCacheManager

SYMBOL = "BTCUSDT"
PATIENCE_S = 60


async def buy(client: Any) -> None:
    while True:
        await client.order_market_buy(symbol=SYMBOL, quantity="0.0002")


async def first(client: Any, socket: Any, kind: str) -> Any:
    """The first message of that kind, while somebody buys."""
    buying = asyncio.create_task(buy(client))
    try:
        async with asyncio.timeout(PATIENCE_S), socket as messages:
            while True:
                message = await messages.recv()
                message = message.get("data", message) if isinstance(message, dict) else message[0]
                if message.get("e", kind) == kind:
                    return message
    except TimeoutError:
        raise AssertionError(f"no {kind} came; {buying}") from None
    finally:
        buying.cancel()


async def requests(client: Any) -> None:
    """Over the socket, without a stream."""
    symbol = {"symbol": SYMBOL}
    assert await client.ws_ping() == {}
    assert (await client.ws_get_time())["serverTime"] > 0
    assert (await client.ws_get_exchange_info(**symbol))["symbols"]
    assert (await client.ws_get_order_book(**symbol))["lastUpdateId"] > 0
    assert (await client.ws_get_account())["canTrade"]
    assert (await client.ws_get_commission_rates(**symbol))["symbol"] == SYMBOL
    terms = {**symbol, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    terms |= {"quantity": "0.01", "price": "20000"}
    assert await client.ws_create_test_order(**terms) == {}
    first = await client.ws_create_order(**terms)
    replaced = await client.ws_cancel_and_replace_order(
        **terms, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=first["orderId"]
    )
    second = replaced["newOrderResponse"]["orderId"]
    assert (await client.ws_get_order(**symbol, orderId=second))["status"] == "NEW"
    assert second in {each["orderId"] for each in await client.ws_get_open_orders(**symbol)}
    pair = await client.ws_create_oco_order(
        **symbol,
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="60000",
        belowType="STOP_LOSS",
        belowStopPrice="40000",
    )
    by_id = {"orderListId": pair["orderListId"]}
    assert (await client.ws_get_oco_order(**by_id))["orders"] == pair["orders"]
    assert [each["orderListId"] for each in await client.ws_get_oco_open_orders()] == [
        pair["orderListId"]
    ]
    await client.ws_cancel_oco_order(**symbol, **by_id)
    canceled = await client.ws_cancel_all_open_orders(**symbol)
    assert [each["orderId"] for each in canceled] == [second]
    mine = await client.ws_get_my_trades(**symbol)
    assert mine[-1]["orderId"] in {o["orderId"] for o in await client.ws_get_all_orders(**symbol)}
    assert mine[-1]["id"] in {trade["id"] for trade in await client.ws_get_recent_trades(**symbol)}
    assert await client.ws_get_klines(**symbol, interval="1m")
    assert float((await client.ws_get_ticker(**symbol))["lastPrice"]) > 0


async def sockets(client: Any) -> None:
    manager = BinanceSocketManager(client)
    wanted = [
        (manager.trade_socket(SYMBOL), "trade"),
        (manager.aggtrade_socket(SYMBOL), "aggTrade"),
        (manager.kline_socket(SYMBOL), "kline"),
        (manager.depth_socket(SYMBOL), "depthUpdate"),
        (manager.symbol_ticker_socket(SYMBOL), "24hrTicker"),
        (manager.symbol_miniticker_socket(SYMBOL), "24hrMiniTicker"),
        (manager.miniticker_socket(), "24hrMiniTicker"),
        (manager.multiplex_socket(["btcusdt@trade", "btcusdt@depth"]), "trade"),
    ]
    for socket, kind in wanted:
        assert (await first(client, socket, kind))["s"]
    partial = await first(client, manager.depth_socket(SYMBOL, depth="5"), "")
    assert len(partial["bids"]) <= 5

    async with manager.user_socket() as user:
        placed = await client.ws_create_order(
            symbol=SYMBOL,
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="0.01",
            price="20000",
        )
        async with asyncio.timeout(PATIENCE_S):
            while (report := await user.recv()).get("i") != placed["orderId"]:
                pass
        assert (report["e"], report["x"]) == ("executionReport", "NEW"), report
        await client.ws_cancel_order(symbol=SYMBOL, orderId=placed["orderId"])

    async with DepthCacheManager(client, SYMBOL) as cache:
        buying = asyncio.create_task(buy(client))
        book = await asyncio.wait_for(cache.recv(), PATIENCE_S)
        buying.cancel()
        assert book.get_bids()[0][0] < book.get_asks()[0][0]


def threaded(key: str, secret: str) -> None:
    """The manager that lives in a thread of its own."""
    heard: queue.Queue[Any] = queue.Queue()
    manager = ThreadedWebsocketManager(api_key=key, api_secret=secret)
    manager.start()
    try:
        manager.start_user_socket(callback=heard.put)
        manager.start_trade_socket(callback=heard.put, symbol=SYMBOL)
        client = Client(key, secret)
        kinds: set[str] = set()
        while not kinds >= {"executionReport", "trade"}:
            client.order_market_buy(symbol=SYMBOL, quantity="0.0002")
            while not heard.empty():
                message = heard.get()
                kinds.add(message.get("event", message)["e"])
    finally:
        manager.stop()
        manager.join()


def main(url: str, key: str, secret: str) -> None:
    for kind in (Client, AsyncClient):
        kind.API_URL = f"{url}/api"
        kind.MARGIN_API_URL = f"{url}/sapi"
        kind.WS_API_URL = f"{url.replace('http', 'ws', 1)}/ws-api/v3"
    BinanceSocketManager.STREAM_URL = f"{url.replace('http', 'ws', 1)}/"

    async def asynchronous() -> None:
        client = await AsyncClient.create(key, secret)
        try:
            await client.order_market_buy(symbol=SYMBOL, quantity="0.0002")
            await requests(client)
            await sockets(client)
        finally:
            await client.close_connection()

    asyncio.run(asynchronous())
    threaded(key, secret)


if __name__ == "__main__":
    main(*sys.argv[1:])
