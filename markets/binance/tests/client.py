"""A client of `/api/v3` that signs as Binance documents it, for tests."""

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

import httpx

from exchange_site.tests.loopback import own_address


class BinanceClient:
    """`credentials` is what `create_api_key` prints; `address` the loopback address it calls from,
    for weights are counted by address. It is one of its own, unless one is given."""

    def __init__(self, url: str, credentials: Any = None, *, address: str | None = None) -> None:
        self._key = credentials and credentials["api_key"]
        self._secret = credentials["secret_key"].encode() if credentials else b""
        transport = httpx.HTTPTransport(
            local_address=address or own_address(),
            limits=httpx.Limits(keepalive_expiry=2),  # the server hangs up after five seconds
        )
        self._http = httpx.Client(base_url=url, timeout=20, transport=transport)

    def public(self, path: str, **parameters: object) -> httpx.Response:
        """Neither key nor signature."""
        return self._http.get(f"/api/v3/{path}", params=_known(parameters))

    def keyed(self, method: str, path: str, **parameters: object) -> httpx.Response:
        """The key alone."""
        query = urlencode(_known(parameters))
        return self._http.request(method, f"/api/v3/{path}?{query}", headers=self.headers())

    def get(self, path: str, **parameters: object) -> httpx.Response:
        return self.signed("GET", path, parameters)

    def post(self, path: str, **parameters: object) -> httpx.Response:
        return self.signed("POST", path, parameters)

    def delete(self, path: str, **parameters: object) -> httpx.Response:
        return self.signed("DELETE", path, parameters)

    def signed(self, method: str, path: str, parameters: dict[str, object]) -> httpx.Response:
        """All of it in the query."""
        return self.raw(method, path, query=self.sign(stamped(parameters)))

    def raw(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Exactly this."""
        return self._http.request(
            method,
            f"/api/v3/{path}" + (f"?{query}" if query else ""),
            content=body,
            headers={**self.headers(), **(headers or {})},
        )

    def headers(self) -> dict[str, str]:
        return {"X-MBX-APIKEY": self._key} if self._key else {}

    def signature(self, payload: str) -> str:
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()

    def sign(self, payload: str) -> str:
        return f"{payload}&signature={self.signature(payload)}"


def stamped(parameters: dict[str, object], *, age_ms: int = 0) -> str:
    """With a timestamp, unless one is given."""
    now = time.time_ns() // 1_000_000
    return urlencode({"timestamp": now - age_ms, **_known(parameters)})


def order(**changes: object) -> dict[str, object]:
    """A limit buy below the prices of these tests. A change to None takes the parameter out."""
    return {
        "symbol": "ETHBTC",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": "0.02",
        "quantity": "1",
        **changes,
    }


def market(**changes: object) -> dict[str, object]:
    return order(**{"type": "MARKET", "timeInForce": None, "price": None, **changes})


def said(answer: httpx.Response) -> tuple[int, str]:
    """The code and the text of an error."""
    body = answer.json()
    assert set(body) == {"code", "msg"}, body
    return body["code"], body["msg"]


def _known(parameters: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items() if value is not None}
