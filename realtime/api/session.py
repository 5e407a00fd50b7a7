"""Who speaks on a socket: a key that has logged on, or one that signs a request."""

import time
from typing import Any
from urllib.parse import urlencode

from accounts.selectors import Credential, credential_at_hand
from accounts.signatures import verify
from exchange_site.threads import in_thread
from markets.binance import errors
from markets.binance.callers import (
    ANYBODY,
    Caller,
    Security,
    allowed,
    credential_of,
    valid_until_s,
)
from markets.binance.parameters import Parameters


class ApiSession:
    """`address` is where the socket comes from."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.key: str | None = None
        """Of whoever has logged on."""
        self.connected_since = _now_ms()
        self.authorized_since: int | None = None

    def key_of(self, parameters: Parameters) -> str | None:
        return parameters.get("apiKey", self.key)

    async def identify(self, parameters: Parameters, security: Security) -> Caller:
        """Raises BinanceError -1021, -1022, -1100, -1102, -2014 or -2015; what the database does
        too."""
        if security is Security.NONE:
            return ANYBODY
        key = self.key_of(parameters)
        if key is None:
            raise errors.MANDATORY_PARAMETER.error("apiKey")
        credential = credential_at_hand(key=key)
        if credential is None:
            credential = await in_thread(
                lambda: credential_of(key, self.address, security), brief=True
            )
        else:
            allowed(credential, self.address, security)
        if not security.is_signed:
            return Caller(credential)
        if key != self.key or "signature" in parameters:
            check_signature(credential, parameters)
        return Caller(credential, signed=True, valid_until_s=valid_until_s(parameters))

    def log_on(self, key: str) -> None:
        """From now on requests need no signature."""
        self.key, self.authorized_since = key, _now_ms()

    def log_out(self) -> None:
        self.key = self.authorized_since = None

    def status(self, *, listening: bool) -> dict[str, Any]:
        return {
            "apiKey": self.key,
            "authorizedSince": self.authorized_since,
            "connectedSince": self.connected_since,
            "returnRateLimits": True,
            "serverTime": _now_ms(),
            "userDataStream": listening,
        }


def check_signature(credential: Credential, parameters: Parameters) -> None:
    """Over the parameters in the order of their names, `apiKey` included.

    As they are or percent-encoded: Binance's documentation has asked for either, and clients do
    either. Raises BinanceError -1022 or -1102.
    """
    signature = parameters.get("signature")
    if not signature:
        raise errors.MANDATORY_PARAMETER.error("signature")
    pairs = sorted((name, value) for name, value in parameters.items() if name != "signature")
    plain = "&".join(f"{name}={value}" for name, value in pairs)
    encoded = urlencode(pairs)
    for payload in {plain, encoded}:
        if verify(credential.secret, payload.encode(), signature.encode()):
            return
    raise errors.INVALID_SIGNATURE.error()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
