"""Which account a socket belongs to: that of its session cookie."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie
from django.utils.module_loading import import_string

from exchange_site.database.remembered import ask_patiently
from exchange_site.threads import in_thread

Scope = Mapping[str, Any]


async def account_of_session(scope: Scope) -> int | None:
    """The account that is signed in; None for anonymous ones. Asks the database.

    Raises DatabaseUnavailable, where the database hangs after a second, and ServerOverloaded.
    """
    key = session_key(scope)
    if key is None:
        return None
    return await in_thread(lambda: ask_patiently(lambda: _account_of(key)))


def origin_is_ours(scope: Scope) -> bool:
    """Browsers send cookies with any site's sockets, but say which site it is.

    Asked wherever a cookie identifies the caller. Without an Origin there is no browser, and then
    no reason to trust in the cookie.
    """
    origin = _header(scope, b"origin")
    if origin is None:
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return urlsplit(origin).netloc == _header(scope, b"host")


def _account_of(key: str) -> int | None:
    request = HttpRequest()
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
    user = get_user(request)
    return user.pk if user.is_authenticated else None


def session_key(scope: Scope) -> str | None:
    """What the cookies say, as Django reads them."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    key: str | None = parse_cookie("; ".join(lines)).get(settings.SESSION_COOKIE_NAME)
    return key


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None
