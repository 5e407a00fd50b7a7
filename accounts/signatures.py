"""The signatures of Binance's API, on raw bytes.

An HMAC-SHA256 in hexadecimal, of either case, over the raw query string and the raw body with
nothing between them, without the `signature` parameter itself. Nothing is decoded and encoded
again on the way: what was signed is what was sent.

Source: "SIGNED (TRADE and USER_DATA) endpoint security" of Binance's public spot API
documentation; the vectors in `tests/test_signatures.py` are from there.
"""

import hmac
import re
from enum import Enum
from typing import Final, NamedTuple

DEFAULT_RECV_WINDOW_MS: Final = 5_000
MAX_RECV_WINDOW_MS: Final = 60_000
MAX_AHEAD_MS: Final = 1_000
"""How far a caller's clock may be ahead of ours."""

_NAME: Final = b"signature="
_INTEGER: Final = re.compile(r"[0-9]{1,16}", re.ASCII)


class Signed(NamedTuple):
    """A request's payload, and the signature that came with it."""

    payload: bytes
    signature: bytes | None


class TimestampFault(Enum):
    MISSING = "timestamp is required"
    NO_INTEGER = "timestamp and recvWindow must be integers of milliseconds"
    WINDOW_TOO_LONG = f"recvWindow is {MAX_RECV_WINDOW_MS} at most"
    OUTSIDE = "timestamp is outside of the recvWindow"


def signed_request(query: bytes, body: bytes, *, form_body: bool) -> Signed:
    """What the signature of an HTTP request covers.

    A `signature` may stand in the query, and in the body where that is a form; the query's wins.
    """
    query, in_query = _without_signature(query)
    in_body = None
    if form_body:
        body, in_body = _without_signature(body)
    return Signed(query + body, in_query if in_query is not None else in_body)


def sign(secret: bytes, payload: bytes) -> str:
    return hmac.digest(secret, payload, "sha256").hex()


def verify(secret: bytes, payload: bytes, signature: bytes) -> bool:
    """Whether the signature is right, in a time that does not tell how wrong it is."""
    return hmac.compare_digest(sign(secret, payload).encode("ascii"), signature.lower())


def check_timestamp(
    timestamp: str | None, recv_window: str | None, *, now_ms: int
) -> TimestampFault | None:
    """None where the request is recent enough by its own rule."""
    if timestamp is None:
        return TimestampFault.MISSING
    window_text = recv_window if recv_window is not None else str(DEFAULT_RECV_WINDOW_MS)
    if not _INTEGER.fullmatch(timestamp) or not _INTEGER.fullmatch(window_text):
        return TimestampFault.NO_INTEGER
    time_ms, window_ms = int(timestamp), int(window_text)
    if window_ms > MAX_RECV_WINDOW_MS:
        return TimestampFault.WINDOW_TOO_LONG
    if time_ms < now_ms + MAX_AHEAD_MS and now_ms - time_ms <= window_ms:
        return None
    return TimestampFault.OUTSIDE


def _without_signature(parameters: bytes) -> tuple[bytes, bytes | None]:
    """The parameters but for `signature`, and its first value."""
    if _NAME not in parameters:
        return parameters, None
    parts = parameters.split(b"&")
    kept = [part for part in parts if not part.startswith(_NAME)]
    if len(kept) == len(parts):
        return parameters, None
    first = next(part for part in parts if part.startswith(_NAME))
    return b"&".join(kept), first.removeprefix(_NAME)
