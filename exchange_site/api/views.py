"""DRF's view in the event loop."""

from asyncio import iscoroutinefunction
from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange_site.threads import ServerOverloaded, in_thread


class AsyncThrottle(Protocol):
    async def aallow_request(self, request: Request, view: APIView) -> bool: ...

    def wait(self) -> float: ...


class AsyncAPIView(APIView):
    """An APIView whose handlers may be coroutines; others run on a thread.

    What never waits is called in the event loop: content negotiation, permissions, rendering.
    Authenticators are called there where they all say by `is_at_hand` that they need not wait.
    Throttles have DRF's methods, and `aallow_request`, which is awaited.
    """

    view_is_async = True

    async def dispatch(  # type: ignore[override]
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        self.args, self.kwargs = args, kwargs
        wrapped = self.initialize_request(request, *args, **kwargs)
        self.request = wrapped
        self.headers = self.default_response_headers
        try:
            await self.ainitial(wrapped, *args, **kwargs)
            response = await self._handle(wrapped, *args, **kwargs)
        except Exception as error:
            response = await self._explain(error)
        return _rendered(self.finalize_response(wrapped, response, *args, **kwargs))

    async def ainitial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """DRF's `initial`, but that there is one format and no version."""
        self.format_kwarg = None
        negotiated = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = negotiated
        if all(
            _is_at_hand(authenticator, request) for authenticator in request.authenticators or ()
        ):
            self.perform_authentication(request)
        else:
            await in_thread(partial(self.perform_authentication, request), brief=True)
        self.check_permissions(request)
        for throttle in cast(Iterable[AsyncThrottle], self.get_throttles()):
            if not await throttle.aallow_request(request, self):
                self.throttled(request, throttle.wait())

    async def _handle(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        name = (request.method or "").lower()
        handler = getattr(self, name, None) if name in self.http_method_names else None
        handler = handler or self.http_method_not_allowed
        if iscoroutinefunction(handler):
            response: Response = await handler(request, *args, **kwargs)
            return response
        return await in_thread(partial(handler, request, *args, **kwargs))

    async def _explain(self, error: Exception) -> Response:
        if getattr(error, "status_code", None) == 401:
            # It is counted, which waits (`accounts/failed_calls.py`).
            try:
                return await in_thread(partial(self.handle_exception, error))
            except ServerOverloaded as overloaded:
                return self.handle_exception(overloaded)
        return self.handle_exception(error)


def _is_at_hand(authenticator: Any, request: Request) -> bool:
    is_at_hand = getattr(authenticator, "is_at_hand", None)
    return is_at_hand is not None and bool(is_at_hand(request))


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    """Encoded: a Response would be rendered by Django, on a thread."""
    if not isinstance(response, Response):
        return response
    rendered = HttpResponse(response.rendered_content, status=response.status_code)
    rendered.headers = response.headers
    return rendered
