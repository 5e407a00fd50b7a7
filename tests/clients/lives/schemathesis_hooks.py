"""Hooks of schemathesis: half of the requests come from somebody whom the exchange knows.

The key and its secret stand in the environment, as EXCHANGE_KEY and EXCHANGE_SECRET.
"""

import hashlib
import hmac
import itertools
import os
import time
from typing import Any
from urllib.parse import urlencode

import schemathesis

_KEY = os.environ["EXCHANGE_KEY"]
_SECRET = os.environ["EXCHANGE_SECRET"].encode()
_numbers = itertools.count()


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    number = next(_numbers)
    headers = dict(case.headers or {})
    # As a proxy on this machine says it: an address for every request, so that none is limited.
    headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    if number % 2:
        headers["X-MBX-APIKEY"] = _KEY
        query = {n: v for n, v in dict(case.query or {}).items() if n != "signature"}
        query |= {"timestamp": time.time_ns() // 1_000_000, "recvWindow": 60_000}
        signature = hmac.new(_SECRET, urlencode(query, doseq=True).encode(), hashlib.sha256)
        case.query = {**query, "signature": signature.hexdigest()}
    case.headers = headers
