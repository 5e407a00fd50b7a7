"""binance-connector's `Spot`: `python binance_connector.py URL KEY SECRET`."""

import sys
from collections.abc import Callable

from binance.error import ClientError
from binance.spot import Spot

SYMBOL = "BTCUSDT"


def refused(call: Callable[[], object]) -> tuple[int, str]:
    try:
        call()
    except ClientError as error:
        return error.error_code, error.error_message
    raise AssertionError("it was not refused")


def main(url: str, key: str, secret: str) -> None:
    client = Spot(key, secret, base_url=url)
    assert client.ping() == {}
    assert client.time()["serverTime"] > 0
    for arguments in ({}, {"symbol": SYMBOL}, {"symbols": [SYMBOL, "ETHBTC"]}):
        symbols = client.exchange_info(**arguments)["symbols"]
        assert SYMBOL in {symbol["symbol"] for symbol in symbols}
    book = client.depth(SYMBOL, limit=5)
    assert float(book["asks"][0][0]) > float(book["bids"][0][0]) > 0

    terms = {
        "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": 0.01, "price": 20000,
    }  # fmt: skip
    assert client.new_order_test(**terms) == {}
    placed = client.new_order(**terms)
    assert placed["status"] == "NEW", placed
    assert client.get_order(SYMBOL, orderId=placed["orderId"])["status"] == "NEW"
    assert placed["orderId"] in {order["orderId"] for order in client.get_open_orders(SYMBOL)}
    assert client.cancel_order(SYMBOL, orderId=placed["orderId"])["status"] == "CANCELED"
    again = {"orderId": placed["orderId"]}
    assert refused(lambda: client.cancel_order(SYMBOL, **again)) == (-2011, "Unknown order sent.")
    client.new_order(**terms)
    assert len(client.cancel_open_orders(SYMBOL)) == 1

    market = {"symbol": SYMBOL, "type": "MARKET", "quantity": 0.01}
    bought = client.new_order(side="BUY", **market)
    sold = client.new_order(side="SELL", **market)
    assert (bought["status"], sold["status"]) == ("FILLED", "FILLED")
    mine = client.my_trades(SYMBOL)
    assert {bought["orderId"], sold["orderId"]} <= {trade["orderId"] for trade in mine}
    assert placed["orderId"] in {order["orderId"] for order in client.get_orders(SYMBOL)}
    account = client.account(omitZeroBalances="true")
    assert {"BTC", "USDT"} == {balance["asset"] for balance in account["balances"]}
    assert client.query_commission_rates(SYMBOL)["standardCommission"]["taker"] == "0.00100000"
    assert [usage["interval"] for usage in client.get_order_rate_limit()] == ["SECOND", "DAY"]

    first = client.new_order(**terms)
    replaced = client.cancel_and_replace(
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=first["orderId"],
        **{**terms, "price": 20001},
    )
    assert replaced["cancelResponse"]["orderId"] == first["orderId"]
    client.cancel_order(SYMBOL, orderId=replaced["newOrderResponse"]["orderId"])
    assert client.get_oco_open_orders() == []
    legs = {"abovePrice": 60000, "belowStopPrice": 40000}
    pair = client.new_oco_order(SYMBOL, "SELL", 0.01, "LIMIT_MAKER", "STOP_LOSS", **legs)
    by_id = {"orderListId": pair["orderListId"]}
    assert client.get_oco_order(**by_id)["orders"] == pair["orders"]
    assert client.cancel_oco_order(SYMBOL, **by_id)["listOrderStatus"] == "ALL_DONE"
    assert [each["orderListId"] for each in client.get_oco_orders()] == [pair["orderListId"]]

    assert mine[-1]["id"] in {trade["id"] for trade in client.trades(SYMBOL)}
    assert client.historical_trades(SYMBOL, limit=5)
    assert client.agg_trades(SYMBOL, limit=5)
    assert float(client.klines(SYMBOL, "1m")[-1][5]) > 0
    assert client.ui_klines(SYMBOL, "1d")[-1][8] > 0
    assert float(client.avg_price(SYMBOL)["price"]) > 0
    assert float(client.ticker_24hr(SYMBOL)["lastPrice"]) > 0
    assert [t["symbol"] for t in client.ticker_price(symbols=[SYMBOL])] == [SYMBOL]
    assert float(client.book_ticker(SYMBOL)["askPrice"]) > 0
    listen_key = client.new_listen_key()["listenKey"]
    assert client.renew_listen_key(listen_key) == {}
    assert client.close_listen_key(listen_key) == {}


if __name__ == "__main__":
    main(*sys.argv[1:])
