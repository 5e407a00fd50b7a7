"""What a stream socket cannot be told, or fails on, costs that request or that socket alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from exchange_site import threads
from exchange_site.threads import Threads
from realtime import consumer
from realtime.broker import process_broker
from realtime.client_connection import INTERNAL_ERROR, SERVICE_RESTART
from realtime.protocol import UNAVAILABLE
from realtime.routing import websocket_urlpatterns

pytestmark = pytest.mark.usefixtures("shared_redis")

HEADERS = [(b"cookie", b"sessionid=somebodys"), (b"origin", b"http://here"), (b"host", b"here")]


def socket(path: str = "/ws") -> WebsocketCommunicator:
    return WebsocketCommunicator(URLRouter(websocket_urlpatterns), path, headers=HEADERS)


async def ask(client: WebsocketCommunicator, method: str, *params: str) -> Any:
    await client.send_json_to({"method": method, "params": params, "id": 1})
    return await client.receive_json_from(timeout=10)


@contextmanager
def overloaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody is given a thread."""
    with monkeypatch.context() as patch:
        patch.setattr(threads, "_threads", Threads(1, "none", max_waiting=-1))
        yield


@pytest.mark.parametrize("name", ["user", "k" * 64, f"{'k' * 64}@7"])
def test_an_overloaded_server_refuses_that_request_alone(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    @async_to_sync
    async def follow() -> None:
        client = socket()
        await client.connect(timeout=10)
        with overloaded(monkeypatch):
            refused = await ask(client, "SUBSCRIBE", "btcusdt@trade", name)
            assert refused["error"]["code"] == UNAVAILABLE
            assert refused["id"] == 1
        assert await ask(client, "SUBSCRIBE", "btcusdt@trade") == {"result": None, "id": 1}
        await client.disconnect(timeout=10)

    follow()


async def test_a_path_of_an_accounts_stream_alone_has_to_be_asked_for_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with overloaded(monkeypatch):
        alone, beside = socket("/ws/user"), socket("/ws/btcusdt@trade/user")
        for client in (alone, beside):
            await client.connect(timeout=10)
        assert (await alone.receive_output(timeout=10))["code"] == SERVICE_RESTART
        refused = await beside.receive_json_from(timeout=10)
        assert (refused["error"]["code"], refused["id"]) == (UNAVAILABLE, None)
    assert (await ask(beside, "LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade"]
    for client in (alone, beside):
        await client.disconnect(timeout=10)


@pytest.mark.parametrize("path", ["/ws", "/ws/btcusdt@trade/user"])
async def test_what_nothing_expects_ends_the_socket_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async def fail(_scope: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(consumer, "account_of_session", fail)
    client = socket(path)
    await client.connect(timeout=10)
    if path == "/ws":
        assert (await ask(client, "SUBSCRIBE", "btcusdt@trade"))["result"] is None
        await client.send_json_to({"method": "SUBSCRIBE", "params": ["user"], "id": 2})
    closed = await client.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", INTERNAL_ERROR)
    await client.wait(timeout=10)
    broker = process_broker()
    assert len(broker.pool) == 0
    assert broker._streams == {}
    assert "ZeroDivisionError" in caplog.text
