"""Django's handler for the paths of the API: a request that needs no thread takes none.

Django's own makes two threads for every request, and takes more than a dozen steps there and back:
its signals, each piece of middleware, the view, the rendering of the response, its end. That costs
several times what an order does. Here none of these waits, so all are done in the event loop, and
what has to wait shares a number of threads.
"""

from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from typing import IO, Any, Final

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.log import log_response

from exchange_site.api.strict_json import MAX_BODY_BYTES
from exchange_site.threads import share_threads

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class _InLoop(MiddlewareMixin):
    """Middleware that never waits."""

    async def __acall__(self, request: HttpRequest) -> Any:
        response = None
        if hasattr(self, "process_request"):
            response = self.process_request(request)
        response = response or await self.get_response(request)  # type: ignore[misc]
        if hasattr(self, "process_response"):
            response = self.process_response(request, response)
        return response


class _Security(_InLoop, SecurityMiddleware):
    pass


class _Common(_InLoop, CommonMiddleware):
    pass


class _XFrameOptions(_InLoop, XFrameOptionsMiddleware):
    pass


MIDDLEWARE: Final = (_Security, _Common, _XFrameOptions)
"""What of the settings' list concerns a client that is no page."""


class ApiHandler(ASGIHandler):
    """Its views must not touch a database in the event loop, and close on a thread what they open
    there (`exchange_site/threads.py`): the signals of a request's begin and end, by which Django
    does that, are not sent."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        handler: Any = convert_exception_to_response(super()._get_response_async)  # type: ignore[misc]
        for middleware in reversed(MIDDLEWARE):
            handler = convert_exception_to_response(middleware(handler))
        self._middleware_chain = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        share_threads()
        await self.handle(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A client that goes while its request is answered does not end that: an order that it has
        sent may be on its way to the engine."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        request, response = self.create_request(scope, body)
        if request is not None:
            response = await self.get_response_async(request)
        assert response is not None
        await self.send_response(response, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = await self._middleware_chain(request)
        if response.status_code >= 400:
            log_response(
                "%s: %s", response.reason_phrase, request.path, response=response, request=request
            )
        return response

    async def read_body(self, receive: Receive) -> IO[bytes]:
        """In memory, for no request is long; of one that is too long enough to tell."""
        body = bytearray()
        more = True
        while more and len(body) <= MAX_BODY_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return BytesIO(body)
