"""The native API, over one HTTP connection that stays open."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from accounts.signatures import sign

TIMEOUT_S: Final = 10.0


class Unsure(Exception):
    """What was asked may or may not have been done, or the exchange cannot be reached."""


@dataclass(frozen=True)
class Key:
    key: str
    secret: str


class Api:
    """Requests of several users, one after the other."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)

    def send(
        self,
        key: Key | None,
        method: str,
        path: str,
        *,
        query: dict[str, object] | None = None,
        body: object = None,
    ) -> Any:
        """The answer, which may be a problem. Raises Unsure; nothing is ever sent twice."""
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        parameters = dict(query or {})
        if key is not None:
            headers["X-MBX-APIKEY"] = key.key
            parameters["timestamp"] = time.time_ns() // 1_000_000
        text = urlencode(parameters)
        if key is not None:
            text += f"&signature={sign(key.secret.encode(), text.encode() + content)}"
        try:
            self._connection.request(method, f"/api/v1{path}?{text}", content or None, headers)
            response = self._connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise Unsure(f"{method} {path}: {type(error).__name__} {error}") from error
        if response.status >= 500 or response.status == http.client.TOO_MANY_REQUESTS:
            raise Unsure(f"{method} {path}: {response.status} {answer.get('code')}")
        if response.status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
            raise Unsure(f"{method} {path}: {answer.get('code')}: {answer.get('detail')}")
        return answer

    def close(self) -> None:
        self._connection.close()
