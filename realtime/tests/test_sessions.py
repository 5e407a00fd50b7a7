"""An account's own stream ends with the session, or the API keys, that gave the right to it."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
)
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import ApiKey, User
from accounts.services import api_key_create, api_key_revoke
from exchange_site.database.remembered import DatabaseUnavailable
from markets.binance.listen_keys import open_listen_key
from realtime import consumer, sessions, socket_consumer, user_subscription
from realtime.client_connection import SIGNED_OUT
from realtime.routing import websocket_urlpatterns
from realtime.sessions import tell_signed_out

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shared_redis")]


@pytest.fixture
def user() -> User:
    return User.objects.create_user(f"user-{uuid.uuid4().hex}", password="correct horse")


@pytest.fixture
def cookie(user: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store.save()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def change_password(user: User) -> None:
    user.set_password("battery staple")
    user.save()


def let_expire(_user: User) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("end", [deactivate, change_password, let_expire])
def test_the_socket_asks_again(
    user: User, cookie: str, end: Callable[[User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CHECK_S", 0.05)

    async def then(socket: WebsocketCommunicator) -> Any:
        await sync_to_async(end)(user)
        return await socket.receive_output(timeout=10)

    closed = follow_own(cookie, then, monkeypatch)
    assert (closed["type"], closed["code"]) == ("websocket.close", SIGNED_OUT)


def test_who_signs_out_while_the_stream_is_joined_is_not_followed(
    user: User, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The news that the session has ended comes before anybody listens to it."""

    async def late(*arguments: Any) -> str:
        await sync_to_async(tell_signed_out)(request=request_of(cookie), user=user)
        return await user_subscription.follow(*arguments)

    monkeypatch.setattr(consumer, "follow", late)

    async def then(socket: WebsocketCommunicator) -> Any:
        return await socket.receive_output(timeout=10)

    closed = follow_own(cookie, then, monkeypatch)
    assert (closed["type"], closed["code"]) == ("websocket.close", SIGNED_OUT)


def request_of(cookie: str) -> HttpRequest:
    request = HttpRequest()
    key = cookie.partition("=")[2]
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return request


def follow_own(
    cookie: str,
    then: Callable[[WebsocketCommunicator], Awaitable[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """What `then` brings of a socket that follows its account. Everything that asks the database
    does so in this thread, inside of the test's transaction."""
    monkeypatch.setattr(socket_consumer, "share_threads", lambda: None)
    headers = [(b"cookie", cookie.encode()), (b"origin", b"http://here"), (b"host", b"here")]

    @async_to_sync
    async def follow() -> Any:
        application = URLRouter(websocket_urlpatterns)
        socket = WebsocketCommunicator(application, "/ws", headers=headers)
        await socket.connect(timeout=10)
        await socket.send_json_to({"method": "SUBSCRIBE", "params": ["user"], "id": 1})
        assert await socket.receive_json_from(timeout=10) == {"result": None, "id": 1}
        return await then(socket)

    return follow()


def revoke(user: User) -> None:
    api_key_revoke(api_key=ApiKey.objects.filter(user=user).latest("pk"))


@pytest.mark.parametrize("end", [deactivate, revoke])
def test_a_listen_key_is_asked_for_again(
    user: User, end: Callable[[User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CHECK_S", 0.05)
    monkeypatch.setattr(socket_consumer, "share_threads", lambda: None)
    api_key_create(user=user)
    key = open_listen_key(account=user.pk, revocations=0)

    @async_to_sync
    async def follow() -> Any:
        socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), "/ws/btcusdt@trade")
        await socket.connect(timeout=10)
        await socket.send_json_to({"method": "SUBSCRIBE", "params": [key], "id": 1})
        assert await socket.receive_json_from(timeout=10) == {"result": None, "id": 1}
        await sync_to_async(end)(user)
        ended = await socket.receive_json_from(timeout=10)
        await socket.send_json_to({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        left = await socket.receive_json_from(timeout=10)
        await socket.disconnect(timeout=10)
        return ended, left["result"]

    ended, left = follow()
    assert (ended["e"], ended["listenKey"]) == ("listenKeyExpired", key)
    assert left == ["btcusdt@trade"]


async def test_a_right_that_cannot_be_checked_any_more_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "CHECK_S", 0.0)
    answers: list[Any] = [7, DatabaseUnavailable(), 7, ValueError("a defect"), 7]

    async def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return int(answer)

    await sessions.wait_for_end(7, ask)
    assert answers == [7]
