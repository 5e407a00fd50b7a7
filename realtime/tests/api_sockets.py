"""A client of `/ws-api/v3` that finds every message of it in the AsyncAPI document."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from websockets.asyncio.client import connect

from exchange_site.tests.loopback import own_address
from realtime.asyncapi.document import schema_of_api, schema_of_result
from realtime.tests.api_client import ApiClient
from realtime.tests.sockets import socket_url


class JudgingClient(ApiClient):
    def judge(self, message: Any, method: str | None) -> None:
        _of_api().validate(message)
        if "result" in message and method is not None:
            _of_result(method.removeprefix("v3/")).validate(message["result"])


@asynccontextmanager
async def api(
    url: str, credentials: Any = None, *, address: str | None = None
) -> AsyncIterator[ApiClient]:
    """`address` is the loopback address it calls from, for weights are counted by address; one of
    its own, unless one is given."""
    here = (address or own_address(), 0)
    async with connect(socket_url(url, "/ws-api/v3"), local_addr=here) as socket:
        yield JudgingClient(socket, credentials)


@cache
def _of_api() -> Draft202012Validator:
    return Draft202012Validator(schema_of_api())


@cache
def _of_result(method: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of_result(method))
