"""How often one address may call as somebody whom nobody knows.

DRF's throttles come after authentication and never see a call that fails there. So failures are
counted here, per address. Beyond the limit the answer is 429 instead of 401, and keys and tokens
that did not work lately are not even looked up; whoever is known goes on, also from there.
"""

import threading
import time
from typing import Any, Final

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.addresses import client_address
from accounts.counters import Window, count
from exchange_site.api import problems
from exchange_site.api.problems import ProblemError

MAX_ADDRESSES: Final = 10_000

_blocked_until: dict[str, float] = {}
"""What this process knows of addresses beyond the limit: no good request asks the cache for it."""

_lock = threading.Lock()


def refuse_blocked(request: Request) -> None:
    """Before a key or a token is looked up that is not known. Raises ProblemError RATE_LIMITED."""
    wait_s = _blocked_until.get(client_address(request), 0.0) - time.monotonic()
    if wait_s > 0:
        raise ProblemError("RATE_LIMITED", retry_after_s=wait_s)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER: counts the calls of callers who are not known."""
    response = problems.exception_handler(error, context)
    if response is None or response.status_code != 401 or "request" not in context:
        return response
    wait_s = _note_failure(client_address(context["request"]))
    if wait_s is None:
        return response
    return problems.exception_handler(ProblemError("RATE_LIMITED", retry_after_s=wait_s), context)


def _note_failure(address: str) -> float | None:
    """How long the address has to wait, where it is beyond the limit."""
    window = Window(settings.REQUESTS_PER_MINUTE_ADDRESS, 60)
    if count(f"failed:{address}", window) <= window.limit:
        return None
    wait_s = window.remaining_s()
    with _lock:
        if len(_blocked_until) >= MAX_ADDRESSES:
            _blocked_until.clear()
        _blocked_until[address] = time.monotonic() + wait_s
    return wait_s
