"""What coroutines wait for on threads leaves nothing behind there."""

import asyncio
import threading
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DEFAULT_DB_ALIAS, connection, connections

from exchange_site import threads
from exchange_site.threads import ServerOverloaded, in_thread, share_threads


def ask() -> tuple[str, Any]:
    """Who asked, and the connection that it used."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return threading.current_thread().name, connections[DEFAULT_DB_ALIAS]


@pytest.mark.django_db
async def test_a_shared_thread_keeps_no_connection() -> None:
    share_threads()
    thread, used = await in_thread(ask)
    assert thread.startswith("requests")
    assert used.connection is None


@pytest.mark.django_db
def test_a_synchronous_caller_is_asked_on_his_own_thread_and_keeps_his_transaction() -> None:
    thread, used = async_to_sync(in_thread)(ask)
    assert thread == threading.current_thread().name
    assert used.connection is not None
    assert used.in_atomic_block


async def test_what_waits_for_a_thread_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes too late is told at once, and nothing is done for him."""
    monkeypatch.setattr(threads, "MAX_WAITING", 2)
    monkeypatch.setattr(threads, "_threads", threads._Threads(1, "few"))
    share_threads()
    go_on, done = threading.Event(), list[str]()

    def wait(name: str) -> None:
        go_on.wait()
        done.append(name)

    asked = [asyncio.create_task(in_thread(partial(wait, name))) for name in "abc"]
    await asyncio.sleep(0)  # so that each has asked
    with pytest.raises(ServerOverloaded):
        await in_thread(lambda: wait("d"))
    go_on.set()
    await asyncio.gather(*asked)
    await in_thread(lambda: wait("e"))
    assert done == ["a", "b", "c", "e"]
