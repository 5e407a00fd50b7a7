"""The socket of `/ws-api/v3`.

Requests of a connection are let in and handed over in the order in which they came; the answers
come when they are known. At most MAX_UNDER_WAY wait for theirs: then the socket is read no further.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from markets.binance.errors import binance_error
from markets.binance.payloads import RateLimitUsage
from realtime.api.admission import Counted
from realtime.api.calls import ApiCalls
from realtime.api.messages import ApiRequest, answer, error_answer, parse_request
from realtime.api.session import ApiSession
from realtime.api.user_data import UserData
from realtime.outgoing import Outgoing
from realtime.socket_consumer import SocketConsumer

MAX_UNDER_WAY: Final = 100


class ApiConsumer(SocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        self._under_way: set[asyncio.Future[Any]] = set()
        self._places = asyncio.Semaphore(MAX_UNDER_WAY)
        self._connection = self.new_connection()
        self._user_data = UserData(self._connection)
        address, _port = self.scope.get("client") or ("", 0)
        self._calls = ApiCalls(ApiSession(address), self._user_data)

    async def disconnect(self, code: int) -> None:
        connection = getattr(self, "_connection", None)
        if connection is None:  # the client was gone before it was accepted
            return
        connection.forget()
        self._user_data.close()
        for future in tuple(self._under_way):
            future.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        request = parse_request(text_data or "")
        await self._places.acquire()
        counted = Counted()
        try:
            later = await self._calls.begin(request, counted)
        except Exception as error:
            self._places.release()
            self._refuse(request, error, counted)
            return
        self._under_way.add(later.future)
        later.future.add_done_callback(partial(self._finish, request, counted, later.present))

    def _finish(
        self,
        request: ApiRequest,
        counted: Counted,
        present: Callable[[Any], object],
        future: "asyncio.Future[Any]",
    ) -> None:
        self._under_way.discard(future)
        self._places.release()
        if future.cancelled():  # the client is gone
            return
        try:
            text = answer(request.id, present(future.result()), _told(request, counted))
        except Exception as error:
            self._refuse(request, error, counted)
        else:
            self._connection.offer(Outgoing(text))

    def _refuse(self, request: ApiRequest, error: Exception, counted: Counted) -> None:
        text = error_answer(request.id, binance_error(error), _told(request, counted))
        self._connection.offer(Outgoing(text))


def _told(request: ApiRequest, counted: Counted) -> Sequence[RateLimitUsage] | None:
    """The limits, unless the client wants none of them."""
    wanted = request.parameters.get("returnRateLimits", "true").lower() != "false"
    return counted.told() if wanted else None
