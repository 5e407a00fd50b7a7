"""An account's own stream does not outlive the session that it was opened with.

Signing out tells the account's group at once. Whatever else ends a session (its age, another
password, an inactive user) is noticed when the socket asks again.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import Error as DatabaseError
from django.http import HttpRequest

from accounts.models import User
from engine.publisher.streams import group_of, user_stream
from exchange_site.errors import CodedError

SESSION_ENDED: Final = "session.ended"
"""Type of the message that says: sockets of this session are to be closed."""

CHECK_S: Final = 60.0

_log = logging.getLogger(__name__)


def session_mark(key: str) -> str:
    """Stands for a session where others can read it."""
    return hashlib.sha256(key.encode()).hexdigest()


def tell_signed_out(*, request: HttpRequest, user: User | None, **_signal: Any) -> None:
    """A receiver of `user_logged_out`, which every way to sign out sends, while there still is a
    session. It goes first: who joins too late to be told must not find it any more."""
    key = request.session.session_key
    if user is None or key is None:
        return
    request.session.delete(key)
    stream = user_stream(user.pk)
    message = {"type": SESSION_ENDED, "stream": stream, "session": session_mark(key)}
    try:
        async_to_sync(get_channel_layer().group_send)(group_of(stream), message)
    except redis.RedisError as error:
        _log.warning("sockets were not told that a session has ended: %s", error)


async def wait_for_end(account: int, ask: Callable[[], Awaitable[int | None]]) -> None:
    """Returns when `ask` no longer names the account. It is asked at once, for the right may have
    ended between its first check and the stream's beginning, and then again and again.

    It may raise what the database does, or that something is not available: then it is asked
    again. Where it fails in any other way, nobody would learn of the end any more, and so that is
    one.
    """
    while True:
        try:
            if await ask() != account:
                return
        except (DatabaseError, CodedError) as error:
            _log.warning("a session or key could not be checked: %s", error)
        except Exception:
            _log.exception("a session or key cannot be checked: its stream ends")
            return
        await asyncio.sleep(CHECK_S)
