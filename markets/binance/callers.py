"""Who calls: by an API key alone, or by a key with a signature over the raw query and body.

Source: "Request security" of Binance's public spot API documentation.
"""

import re
import time
from dataclasses import dataclass
from enum import Enum
from typing import Final

from accounts.models import Scope
from accounts.selectors import Credential, get_credential
from accounts.signatures import (
    DEFAULT_RECV_WINDOW_MS,
    MAX_RECV_WINDOW_MS,
    TimestampFault,
    check_timestamp,
    signed_request,
    verify,
)
from markets.binance import errors
from markets.binance.fields import INTEGER
from markets.binance.parameters import Parameters

MAX_KEY_LENGTH: Final = 64
_TIMESTAMP: Final = re.compile(r"[0-9]{1,16}", re.ASCII)


class Security(Enum):
    """What an endpoint asks of its caller, under Binance's names."""

    NONE = "NONE"
    MARKET_DATA = "MARKET_DATA"
    USER_STREAM = "USER_STREAM"
    USER_DATA = "USER_DATA"
    TRADE = "TRADE"

    @property
    def is_signed(self) -> bool:
        return self in (Security.USER_DATA, Security.TRADE)


@dataclass(frozen=True, slots=True)
class Caller:
    """`credential` is None for whoever gave no key, or need not."""

    credential: Credential | None = None
    signed: bool = False
    valid_until_s: float | None = None
    """When the request's recvWindow ends, in monotonic time."""

    @property
    def account(self) -> int:
        assert self.credential is not None, "the endpoint lets anonymous callers in"
        return self.credential.account

    @property
    def revocations(self) -> int:
        """As `Credential` has it."""
        assert self.credential is not None, "the endpoint lets anonymous callers in"
        return self.credential.revocations

    @property
    def valid_ms(self) -> int:
        """How much of the recvWindow is left: the engine must see a command within it."""
        if self.valid_until_s is None:
            return DEFAULT_RECV_WINDOW_MS
        return max(0, int((self.valid_until_s - time.monotonic()) * 1_000))

    @property
    def is_maker(self) -> bool:
        """A key alone lifts no limits, for it is no secret."""
        return self.signed and self.credential is not None and self.credential.is_maker

    def may(self, scope: Scope) -> bool:
        return self.credential is not None and scope in self.credential.scopes


ANYBODY: Final = Caller()


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came."""

    key: str | None
    address: str
    query: bytes
    body: bytes
    parameters: Parameters


def identify(call: Call, security: Security) -> Caller:
    """Raises BinanceError -1021, -1022, -1100, -1102, -2014 or -2015."""
    if security is Security.NONE:
        return ANYBODY
    credential = credential_of(call.key, call.address, security)
    if not security.is_signed:
        return Caller(credential)
    _check_signature(call, credential)
    return Caller(credential, signed=True, valid_until_s=valid_until_s(call.parameters))


def credential_of(key: str | None, address: str, security: Security) -> Credential:
    """The key, if it may be used from that address for that. Raises BinanceError -2014 or -2015."""
    if key is None or not 0 < len(key) <= MAX_KEY_LENGTH or not key.isalnum() or not key.isascii():
        raise errors.BAD_API_KEY_FORMAT.error()
    return allowed(get_credential(key=key), address, security)


def allowed(credential: Credential | None, address: str, security: Security) -> Credential:
    """Raises BinanceError -2015."""
    needed = Scope.TRADE if security is Security.TRADE else Scope.READ
    if (
        credential is None
        or needed not in credential.scopes
        or not credential.allows_address(address)
    ):
        raise errors.REJECTED_API_KEY.error()
    return credential


def _check_signature(call: Call, credential: Credential) -> None:
    signed = signed_request(call.query, call.body, form_body=True)
    if not signed.signature:
        raise errors.MANDATORY_PARAMETER.error("signature")
    if not verify(credential.secret, signed.payload, signed.signature):
        raise errors.INVALID_SIGNATURE.error()


def valid_until_s(parameters: Parameters) -> float:
    """When the request's recvWindow ends, in monotonic time: what it has to wait for here counts.

    Raises BinanceError -1021, -1100 or -1102.
    """
    timestamp, window = parameters.get("timestamp"), parameters.get("recvWindow")
    now = time.time_ns() // 1_000_000
    match check_timestamp(timestamp, window, now_ms=now):
        case None:
            assert timestamp is not None
            window_ms = DEFAULT_RECV_WINDOW_MS if window is None else int(window)
            return time.monotonic() + (int(timestamp) + window_ms - now) / 1_000
        case TimestampFault.MISSING:
            raise errors.MANDATORY_PARAMETER.error("timestamp")
        case TimestampFault.NO_INTEGER:
            fine = timestamp is not None and _TIMESTAMP.fullmatch(timestamp)
            name = "recvWindow" if fine else "timestamp"
            raise errors.ILLEGAL_CHARACTERS.error(name, INTEGER)
        case TimestampFault.WINDOW_TOO_LONG:
            raise errors.TOO_GREAT.error("recvWindow", MAX_RECV_WINDOW_MS)
        case TimestampFault.OUTSIDE:
            assert timestamp is not None
            ahead = int(timestamp) > now
            raise (errors.AHEAD_OF_TIME if ahead else errors.OUTSIDE_RECV_WINDOW).error()
