"""The methods that are endpoints of `/api/v3` under other names."""

from typing import Final

from markets.binance.endpoints import API_V3, Endpoint

_OF_REST: Final = {
    "ping": ("ping", "GET"),
    "time": ("time", "GET"),
    "exchangeInfo": ("exchangeInfo", "GET"),
    "depth": ("depth", "GET"),
    "trades.recent": ("trades", "GET"),
    "trades.historical": ("historicalTrades", "GET"),
    "trades.aggregate": ("aggTrades", "GET"),
    "klines": ("klines", "GET"),
    "uiKlines": ("uiKlines", "GET"),
    "avgPrice": ("avgPrice", "GET"),
    "ticker.24hr": ("ticker/24hr", "GET"),
    "ticker.price": ("ticker/price", "GET"),
    "ticker.book": ("ticker/bookTicker", "GET"),
    "order.place": ("order", "POST"),
    "order.test": ("order/test", "POST"),
    "order.status": ("order", "GET"),
    "order.cancel": ("order", "DELETE"),
    "order.cancelReplace": ("order/cancelReplace", "POST"),
    "order.amend.keepPriority": ("order/amend/keepPriority", "PUT"),
    "openOrders.status": ("openOrders", "GET"),
    "openOrders.cancelAll": ("openOrders", "DELETE"),
    "allOrders": ("allOrders", "GET"),
    "orderList.place": ("order/oco", "POST"),
    "orderList.place.oco": ("orderList/oco", "POST"),
    "orderList.status": ("orderList", "GET"),
    "orderList.cancel": ("orderList", "DELETE"),
    "openOrderLists.status": ("openOrderList", "GET"),
    "allOrderLists": ("allOrderList", "GET"),
    "myTrades": ("myTrades", "GET"),
    "account.status": ("account", "GET"),
    "account.commission": ("account/commission", "GET"),
    "account.rateLimits.orders": ("rateLimit/order", "GET"),
    "userDataStream.start": ("userDataStream", "POST"),
    "userDataStream.ping": ("userDataStream", "PUT"),
    "userDataStream.stop": ("userDataStream", "DELETE"),
}

METHODS: Final[dict[str, Endpoint]] = {
    name: API_V3[path][verb] for name, (path, verb) in _OF_REST.items()
}
