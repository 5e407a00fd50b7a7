"""The whole surface, one line an endpoint: who may call it, what it weighs, what it does."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from markets.binance import (
    account,
    changes,
    errors,
    market_data,
    order_lists,
    orders,
    queries,
    wallet,
)
from markets.binance.callers import Caller, Security
from markets.binance.orders import Prepare
from markets.binance.weights import (
    Weight,
    by_depth,
    by_symbol,
    by_symbols,
    flat,
    of_a_test,
    of_day_tickers,
    of_my_trades,
)

NONE, MARKET_DATA, USER_STREAM = Security.NONE, Security.MARKET_DATA, Security.USER_STREAM
USER_DATA, TRADE = Security.USER_DATA, Security.TRADE


class Endpoint(NamedTuple):
    security: Security
    weight: Weight
    parameters: type[msgspec.Struct]
    answer: Callable[[Caller, Any], Any]
    orders: int = 0
    """How many orders it counts as."""
    prepare: Prepare | None = None
    """For what needs no thread: what `answer` would send to the engine, and say of the reply."""

    def answer_in_time(self, caller: Caller, wanted: Any) -> Any:
        """`answer`, when a thread's turn has come. Whoever has given up meanwhile, as his
        `recvWindow` says, would not expect a change any more: raises BinanceError -1021."""
        if self.security is Security.TRADE and not caller.valid_ms:
            raise errors.OUTSIDE_RECV_WINDOW.error()
        return self.answer(caller, wanted)


Methods = dict[str, Endpoint]

API_V3: Final[dict[str, Methods]] = {
    # general
    "ping": {"GET": Endpoint(NONE, flat(1), queries.NoParameters, market_data.ping)},
    "time": {"GET": Endpoint(NONE, flat(1), queries.NoParameters, market_data.server_time)},
    "exchangeInfo": {"GET": Endpoint(NONE, flat(20), queries.ExchangeInfoQuery, market_data.info)},
    # market data
    "depth": {"GET": Endpoint(NONE, by_depth, queries.DepthQuery, market_data.depth)},
    "trades": {"GET": Endpoint(NONE, flat(25), queries.TradesQuery, market_data.trades)},
    "historicalTrades": {
        "GET": Endpoint(
            NONE, flat(25), queries.HistoricalTradesQuery, market_data.historical_trades
        )
    },
    "aggTrades": {
        "GET": Endpoint(NONE, flat(4), queries.AggregateTradesQuery, market_data.aggregate_trades)
    },
    "klines": {"GET": Endpoint(NONE, flat(2), queries.KlinesQuery, market_data.klines)},
    "uiKlines": {"GET": Endpoint(NONE, flat(2), queries.KlinesQuery, market_data.klines)},
    "avgPrice": {"GET": Endpoint(NONE, flat(2), queries.SymbolQuery, market_data.average_price)},
    "ticker/24hr": {
        "GET": Endpoint(
            NONE,
            by_symbols(2, of_day_tickers, 80),
            queries.DayTickersQuery,
            market_data.day_tickers,
        )
    },
    "ticker/price": {
        "GET": Endpoint(NONE, by_symbol(2, 4), queries.TickersQuery, market_data.price_tickers)
    },
    "ticker/bookTicker": {
        "GET": Endpoint(NONE, by_symbol(2, 4), queries.TickersQuery, market_data.book_tickers)
    },
    # orders
    "order": {
        "POST": Endpoint(
            TRADE, flat(1), queries.NewOrder, orders.order_place, 1, orders.prepare_order
        ),
        "GET": Endpoint(USER_DATA, flat(4), queries.OrderQuery, orders.order_get),
        "DELETE": Endpoint(
            TRADE, flat(1), queries.CancelQuery, orders.order_cancel, 0, orders.prepare_cancel
        ),
    },
    "order/test": {"POST": Endpoint(TRADE, of_a_test, queries.TestOrder, orders.order_test)},
    "order/cancelReplace": {
        "POST": Endpoint(TRADE, flat(1), queries.ReplaceQuery, changes.order_replace, orders=1)
    },
    "order/amend/keepPriority": {
        "PUT": Endpoint(TRADE, flat(4), queries.AmendQuery, changes.order_amend)
    },
    "order/oco": {
        "POST": Endpoint(TRADE, flat(1), queries.NewOco, order_lists.oco_place, orders=2)
    },
    "orderList/oco": {
        "POST": Endpoint(TRADE, flat(1), queries.NewOrderList, order_lists.list_place, orders=2)
    },
    "orderList": {
        "GET": Endpoint(USER_DATA, flat(4), queries.OrderListQuery, order_lists.list_get),
        "DELETE": Endpoint(TRADE, flat(1), queries.CancelListQuery, order_lists.list_cancel),
    },
    "openOrders": {
        "GET": Endpoint(USER_DATA, by_symbol(6, 80), queries.OpenOrdersQuery, orders.open_orders),
        "DELETE": Endpoint(TRADE, flat(1), queries.SymbolQuery, orders.orders_cancel_all),
    },
    "allOrders": {"GET": Endpoint(USER_DATA, flat(20), queries.AllOrdersQuery, orders.all_orders)},
    "openOrderList": {
        "GET": Endpoint(USER_DATA, flat(6), queries.NoParameters, order_lists.open_order_lists)
    },
    "allOrderList": {
        "GET": Endpoint(USER_DATA, flat(20), queries.OrderListsQuery, order_lists.all_order_lists)
    },
    # the account
    "account": {"GET": Endpoint(USER_DATA, flat(20), queries.AccountQuery, account.account)},
    "account/commission": {
        "GET": Endpoint(USER_DATA, flat(20), queries.SymbolQuery, account.commission)
    },
    "myTrades": {
        "GET": Endpoint(USER_DATA, of_my_trades, queries.MyTradesQuery, account.my_trades)
    },
    "rateLimit/order": {
        "GET": Endpoint(USER_DATA, flat(40), queries.NoParameters, account.order_rate_limits)
    },
    "userDataStream": {
        "POST": Endpoint(USER_STREAM, flat(2), queries.NoParameters, account.listen_key_open),
        "PUT": Endpoint(USER_STREAM, flat(2), queries.ListenKeyQuery, account.listen_key_extend),
        "DELETE": Endpoint(USER_STREAM, flat(2), queries.ListenKeyQuery, account.listen_key_close),
    },
}
"""By path below `/api/v3/`."""

_NO_SYMBOLS: Final = {"GET": Endpoint(NONE, flat(1), queries.NoParameters, wallet.no_symbols)}

BESIDE: Final[dict[str, Methods]] = {
    "sapi/v1/system/status": {
        "GET": Endpoint(NONE, flat(1), queries.NoParameters, wallet.system_status)
    },
    "sapi/v1/capital/config/getall": {
        "GET": Endpoint(USER_DATA, flat(1), queries.NoParameters, wallet.nothing)
    },
    "sapi/v1/margin/allPairs": {
        "GET": Endpoint(MARKET_DATA, flat(1), queries.NoParameters, wallet.nothing)
    },
    "sapi/v1/margin/isolated/allPairs": {
        "GET": Endpoint(MARKET_DATA, flat(1), queries.NoParameters, wallet.nothing)
    },
    "sapi/v1/asset/tradeFee": {
        "GET": Endpoint(USER_DATA, flat(1), queries.TradeFeeQuery, wallet.trade_fees)
    },
    "sapi/v1/spot/delist-schedule": {
        "GET": Endpoint(MARKET_DATA, flat(1), queries.NoParameters, wallet.nothing)
    },
    "fapi/v1/exchangeInfo": _NO_SYMBOLS,
    "dapi/v1/exchangeInfo": _NO_SYMBOLS,
}
"""By path: the answers that let default clients load their markets."""
