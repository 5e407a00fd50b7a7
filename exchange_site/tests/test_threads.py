"""What coroutines wait for on threads leaves nothing behind there."""

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DEFAULT_DB_ALIAS, connection, connections

from exchange_site import threads
from exchange_site.threads import ServerOverloaded, Threads, in_thread, share_threads


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
    monkeypatch.setattr(threads, "_threads", Threads(1, "few", max_waiting=2))
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


async def test_who_hangs_up_makes_no_room_before_there_is_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the thread that goes on for him is free, nor his place in the queue."""
    monkeypatch.setattr(threads, "_threads", Threads(1, "one", max_waiting=1))
    share_threads()
    begun, go_on, done = threading.Event(), threading.Event(), list[str]()

    def wait(name: str) -> None:
        begun.set()
        go_on.wait()
        done.append(name)

    asked = [asyncio.create_task(in_thread(partial(wait, name))) for name in "ab"]
    await asyncio.to_thread(begun.wait)
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    try:
        with pytest.raises(ServerOverloaded):
            await asyncio.wait_for(in_thread(lambda: done.append("c")), 5.0)
    finally:
        go_on.set()
    while "d" not in done:
        with suppress(ServerOverloaded):  # until the thread is free
            await in_thread(lambda: wait("d"))
    assert done == ["a", "d"], "what nobody waits for any more is not begun"


async def test_an_error_is_that_of_the_question() -> None:
    share_threads()
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)
