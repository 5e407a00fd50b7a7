"""How often: requests by caller, sign-ins by account and by address.

Calls that fail to say who calls are counted in `failed_calls.py`.
"""

import hashlib
from typing import TYPE_CHECKING, Final

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.addresses import client_address
from accounts.counters import Window, acount, count
from accounts.selectors import Credential

if TYPE_CHECKING:  # DRF imports this module while it imports its views
    from rest_framework.views import APIView

SIGN_INS_PER_ACCOUNT: Final = Window(limit=10, seconds=300)
SIGN_INS_PER_ADDRESS: Final = Window(limit=50, seconds=300)


class CallerThrottle(BaseThrottle):
    """By user where there is one, else by address. Keys of the tier `maker` are not counted."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        name = self._counted_as(request)
        return name is None or count(name, self._window) <= self._window.limit

    async def aallow_request(self, request: Request, view: "APIView") -> bool:
        """Likewise, for coroutines."""
        name = self._counted_as(request)
        return name is None or await acount(name, self._window) <= self._window.limit

    def _counted_as(self, request: Request) -> str | None:
        if isinstance(request.auth, Credential) and request.auth.is_maker:
            return None
        if request.user.is_authenticated:
            self._window = Window(settings.REQUESTS_PER_MINUTE_USER, 60)
            return f"user:{request.user.pk}"
        self._window = Window(settings.REQUESTS_PER_MINUTE_ADDRESS, 60)
        return f"address:{client_address(request)}"

    def wait(self) -> float:
        return self._window.remaining_s()


class SignInThrottled(Exception):
    """Too many attempts; `wait_s` until the next are counted anew."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many attempts; wait {wait_s:.0f} seconds")
        self.wait_s = wait_s


def begin_sign_in(*, username: str, address: str) -> None:
    """Count an attempt before the password is looked at. Raises SignInThrottled."""
    for name, window in _sign_in_counters(username, address):
        if count(name, window) > window.limit:
            raise SignInThrottled(window.remaining_s())


def end_sign_in(*, username: str, address: str) -> None:
    """The password was right: the attempt no longer counts."""
    for name, window in _sign_in_counters(username, address):
        count(name, window, by=-1)


def _sign_in_counters(username: str, address: str) -> list[tuple[str, Window]]:
    # Hashed: a user name may hold anything, and the cache need not know it.
    account = hashlib.sha256(username.casefold().encode("utf-8", "replace")).hexdigest()[:32]
    return [
        (f"sign-in:account:{account}", SIGN_INS_PER_ACCOUNT),
        (f"sign-in:address:{address}", SIGN_INS_PER_ADDRESS),
    ]
