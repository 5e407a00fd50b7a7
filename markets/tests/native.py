"""A client of the native API that signs its requests, for tests."""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import httpx


class NativeClient:
    """`credentials` is what `create_api_key` prints; `patience_s`, how long it waits for an answer
    before it hangs up."""

    def __init__(self, url: str, credentials: Any, *, patience_s: float = 20) -> None:
        self.username: str = credentials["username"]
        self._key = credentials["api_key"]
        self._secret = credentials["secret_key"].encode()
        self._http = httpx.Client(
            base_url=f"{url}/api/v1",
            timeout=httpx.Timeout(20, read=patience_s),
            limits=httpx.Limits(keepalive_expiry=2),  # the server hangs up after five seconds
        )

    def get(self, path: str, **query: object) -> httpx.Response:
        return self.send("GET", path, query)

    def post(self, path: str, fields: object) -> httpx.Response:
        return self.send_json("POST", path, fields)

    def send_json(self, method: str, path: str, fields: object) -> httpx.Response:
        return self.send(method, path, {}, json.dumps(fields).encode())

    def delete(self, path: str, **query: object) -> httpx.Response:
        return self.send("DELETE", path, query)

    def send(
        self,
        method: str,
        path: str,
        query: dict[str, object] | None = None,
        body: bytes = b"",
        *,
        age_ms: int = 0,
        key: str | None = None,
        tamper: bytes = b"",
    ) -> httpx.Response:
        """`tamper` is appended to the body after it was signed."""
        text = urlencode({**(query or {}), "timestamp": time.time_ns() // 1_000_000 - age_ms})
        signature = hmac.new(self._secret, text.encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-MBX-APIKEY": key or self._key}
        if body:
            headers["Content-Type"] = "application/json"
        return self._http.request(
            method,
            f"{path}?{text}&signature={signature}",
            content=body + tamper or None,
            headers=headers,
        )


def order(**changes: object) -> dict[str, object]:
    """A limit buy below the prices of these tests. A change to None takes the field out."""
    fields: dict[str, object] = {
        "symbol": "ETHBTC",
        "side": "buy",
        "type": "limit",
        "price": "0.02",
        "quantity": "1",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}
