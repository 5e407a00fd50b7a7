"""From a request to its answer.

`begin` returns once the request is let in and handed over, with a result that comes later. So the
commands of a connection reach the engine in the order in which they came.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import redis

from engine.loop_client import loop_client
from engine.publisher.reader import FeedUnavailable
from exchange_site.threads import in_thread
from markets.binance import errors, queries
from markets.binance.callers import Caller, Security
from markets.binance.endpoints import Endpoint
from markets.binance.errors import BinanceError
from markets.binance.fields import Id, decode
from markets.binance.parameters import Parameters
from markets.binance.weights import LEAST_WEIGHT
from realtime.api import commands
from realtime.api.admission import Counted, admit, count_orders
from realtime.api.later import Later, as_it_is, completed
from realtime.api.messages import INVALID_JSON, ApiRequest
from realtime.api.methods import METHODS
from realtime.api.session import ApiSession
from realtime.api.user_data import UserData

_APART: Final = frozenset({"apiKey", "returnRateLimits"})
_LIGHT: Final = 2
"""Weight of the methods that REST does not have."""


class SubscribeQuery(queries.Query, frozen=True):
    after: Id | None = None


class UnsubscribeQuery(queries.Query, frozen=True):
    subscription_id: Id | None = None


class ApiCalls:
    """Of one connection."""

    def __init__(self, session: ApiSession, user_data: UserData) -> None:
        self._session = session
        self._engine = loop_client()
        self._user_data = user_data

    async def begin(self, request: ApiRequest, counted: Counted) -> Later:
        """Raises what `binance_error` translates."""
        try:
            method = request.method or ""
            if (answer := _OWN.get(method)) is not None:
                return _now(await answer(self, request.parameters, counted))
            if (prepare := commands.LISTS.get(method)) is not None:
                return await self._list(prepare, request.parameters, counted)
            if (endpoint := METHODS.get(method)) is not None:
                return await self._endpoint(method, endpoint, request.parameters, counted)
            await self._count(LEAST_WEIGHT, counted)
        except (redis.RedisError, FeedUnavailable):
            raise errors.DISCONNECTED.error() from None
        raise (errors.UNSUPPORTED_OPERATION if method else INVALID_JSON).error()

    async def _count(self, weight: int, counted: Counted) -> None:
        """Of what needs no caller."""
        await admit(self._session, {}, Security.NONE, weight, counted)

    async def _endpoint(
        self, method: str, endpoint: Endpoint, parameters: Parameters, counted: Counted
    ) -> Later:
        weight = endpoint.weight(parameters)
        caller = await admit(self._session, parameters, endpoint.security, weight, counted)
        wanted = decode(_without_ours(parameters), endpoint.parameters)
        await count_orders(caller, endpoint.orders, counted)
        prepare = commands.SINGLE.get(method)
        if prepare is not None:
            prepared = await commands.prepared(prepare, caller, wanted)
            if prepared is not None:
                return await commands.send(self._engine, prepared)
        future = asyncio.ensure_future(in_thread(partial(endpoint.answer_in_time, caller, wanted)))
        return Later(future, as_it_is)

    async def _list(
        self, kind: commands.ListKind, parameters: Parameters, counted: Counted
    ) -> Later:
        try:
            items = commands.read_items(kind, parameters)
        except BinanceError:
            await self._count(LEAST_WEIGHT, counted)
            raise
        weight = len(items)
        caller = await admit(self._session, parameters, Security.TRADE, weight, counted)
        rest = {name: text for name, text in parameters.items() if name != kind.name}
        decode(_without_ours(rest), queries.NoParameters)
        number = sum(not isinstance(item, BinanceError) for item in items) if kind.counts else 0
        await count_orders(caller, number, counted)  # what cannot be read does not count, as alone
        return await commands.send_all(self._engine, kind, caller, items)

    async def _log_on(self, parameters: Parameters, counted: Counted) -> dict[str, Any]:
        for name in ("apiKey", "signature"):
            if name not in parameters:
                raise errors.MANDATORY_PARAMETER.error(name)
        await admit(self._session, parameters, Security.USER_DATA, _LIGHT, counted)
        decode(_without_ours(parameters), queries.NoParameters)
        self._session.log_on(parameters["apiKey"])
        return self._told()

    async def _status(self, _: Parameters, counted: Counted) -> dict[str, Any]:
        await self._count(_LIGHT, counted)
        return self._told()

    async def _log_out(self, _: Parameters, counted: Counted) -> dict[str, Any]:
        await self._count(_LIGHT, counted)
        self._session.log_out()
        self._user_data.log_out()
        return self._told()

    def _told(self) -> dict[str, Any]:
        return self._session.status(listening=bool(len(self._user_data)))

    async def _subscribe(self, parameters: Parameters, counted: Counted) -> dict[str, int]:
        """For the account that has logged on: that was signed for."""
        if self._session.key is None:
            raise errors.REJECTED_API_KEY.error()
        caller = await admit(self._session, {}, Security.USER_STREAM, _LIGHT, counted)
        return await self._listen(caller, parameters, by_session=True)

    async def _subscribe_signed(self, parameters: Parameters, counted: Counted) -> dict[str, int]:
        """For the account of the key that signs."""
        if "signature" not in parameters:
            raise errors.MANDATORY_PARAMETER.error("signature")
        caller = await admit(self._session, parameters, Security.USER_DATA, _LIGHT, counted)
        return await self._listen(caller, parameters, by_session=False)

    async def _listen(
        self, caller: Caller, parameters: Parameters, *, by_session: bool
    ) -> dict[str, int]:
        wanted = decode(_without_ours(parameters), SubscribeQuery)
        number = await self._user_data.subscribe(caller, wanted.after, by_session=by_session)
        return {"subscriptionId": number}

    async def _unsubscribe(self, parameters: Parameters, counted: Counted) -> dict[str, Any]:
        await self._count(_LIGHT, counted)
        wanted = decode(_without_ours(parameters), UnsubscribeQuery)
        number = wanted.subscription_id
        for each in self._user_data.ids if number is None else [number]:
            self._user_data.unsubscribe(each)
        return {}

    async def _subscriptions(self, _: Parameters, counted: Counted) -> list[dict[str, int]]:
        await self._count(_LIGHT, counted)
        return [{"subscriptionId": number} for number in self._user_data.ids]


_Own = Callable[[ApiCalls, Parameters, Counted], Awaitable[Any]]

_OWN: Final[dict[str, _Own]] = {
    "session.logon": ApiCalls._log_on,
    "session.status": ApiCalls._status,
    "session.logout": ApiCalls._log_out,
    "session.subscriptions": ApiCalls._subscriptions,
    "userDataStream.subscribe": ApiCalls._subscribe,
    "userDataStream.subscribe.signature": ApiCalls._subscribe_signed,
    "userDataStream.unsubscribe": ApiCalls._unsubscribe,
}
"""What concerns the connection itself."""


def _without_ours(parameters: Parameters) -> dict[str, str]:
    """But for what every method of the socket can have."""
    return {name: text for name, text in parameters.items() if name not in _APART}


def _now(result: Any) -> Later:
    return Later(completed(result), as_it_is)


def known_methods() -> frozenset[str]:
    return frozenset({*METHODS, *commands.LISTS, *_OWN})
