"""What is sent: requests that are written once and only get a time, a number and a signature."""

import hashlib
import hmac
import time
from typing import Final
from urllib.parse import urlencode

import msgspec

from bench.load.plan import Plan, User

_encode: Final = msgspec.json.encode


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _binance_order(plan: Plan, sells: bool) -> dict[str, str]:
    return {
        "symbol": plan.market,
        "side": "SELL" if sells else "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": plan.price,
        "quantity": plan.quantity,
        "newOrderRespType": "RESULT",
    }


class ApiWriter:
    """Of the WebSocket API."""

    def __init__(self, plan: Plan) -> None:
        self._methods = {sells: self._request(plan, sells) for sells in (False, True)}

    @staticmethod
    def _request(plan: Plan, sells: bool) -> bytes:
        """Without its number and its time."""
        order = _binance_order(plan, sells)
        if plan.together == 1:
            return b'"method":"order.place","params":' + _encode(order)[:-1]
        orders = _encode([order] * plan.together)
        return b'"method":"orders.place","params":{"orders":' + orders

    def write(self, number: int, *, sells: bool) -> bytes:
        return b'{"id":%d,%b,"timestamp":%d}}' % (number, self._methods[sells], now_ms())


def log_on(user: User) -> bytes:
    """The first request of a socket; its number is -1."""
    payload = f"apiKey={user.key}&timestamp={now_ms()}"
    signature = hmac.new(user.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    params = dict(part.split("=") for part in payload.split("&")) | {"signature": signature}
    return _encode({"id": -1, "method": "session.logon", "params": params})


class HttpWriter:
    """Of `/api/v1` and `/api/v3`, signed by `user`."""

    def __init__(self, plan: Plan, user: User) -> None:
        self._secret = user.secret.encode()
        host = plan.url.partition("://")[2]
        self._headers = f" HTTP/1.1\r\nHost: {host}\r\nX-MBX-APIKEY: {user.key}\r\n".encode()
        self._targets = {sells: self._target(plan, sells) for sells in (False, True)}

    @staticmethod
    def _target(plan: Plan, sells: bool) -> tuple[bytes, bytes, bytes]:
        """Method and path, the query but for its end, the body."""
        if plan.way == "get":
            return b"GET " + plan.path.encode(), b"", b""
        if plan.way == "v3":
            order = _binance_order(plan, sells)
            return b"POST /api/v3/order", urlencode(order).encode() + b"&", b""
        order = {
            "symbol": plan.market,
            "side": "sell" if sells else "buy",
            "type": "limit",
            "price": plan.price,
            "quantity": plan.quantity,
        }
        if plan.together == 1:
            return b"POST /api/v1/order", b"", _encode(order)
        return b"POST /api/v1/orders", b"", _encode({"orders": [order] * plan.together})

    def write(self, *, sells: bool) -> bytes:
        target, start, body = self._targets[sells]
        query = b"%btimestamp=%d" % (start, now_ms())
        signature = hmac.digest(self._secret, query + body, "sha256").hex().encode()
        return b"%b?%b&signature=%b%b%b\r\n%b" % (
            target,
            query,
            signature,
            self._headers,
            self._length(body),
            body,
        )

    @staticmethod
    def _length(body: bytes) -> bytes:
        if not body:
            return b""
        return b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
