"""The Content-Security-Policy of every page: nothing but what this site serves itself."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

HEADER: Final = "Content-Security-Policy"

# The one style element of lightweight-charts: the logo that its licence asks for.
_LOGO_STYLE: Final = "'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='"

_COMMON: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; "
)
POLICY: Final = _COMMON + f"style-src 'self' {_LOGO_STYLE}"
DOCS_POLICY: Final = _COMMON + "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
"""The browsable API starts itself from an inline script."""
DOCS_PATHS: Final = ("/docs", "/docs/v3")

_Handler = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def content_security_policy(
    get_response: _Handler,
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    def add(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            policy = DOCS_POLICY if request.path in DOCS_PATHS else POLICY
            response.headers.setdefault(HEADER, policy)
        return response

    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            return add(request, await get_response(request))

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        return add(request, get_response(request))

    return synchronous
