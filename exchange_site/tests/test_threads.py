"""What coroutines wait for on threads leaves nothing behind there."""

import threading
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DEFAULT_DB_ALIAS, connection, connections

from exchange_site.threads import in_thread, share_threads


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
