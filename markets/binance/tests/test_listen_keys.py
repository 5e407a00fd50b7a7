"""Listen keys in the shared Redis: one an account, for an hour."""

import pytest

from markets.binance import listen_keys
from markets.binance.listen_keys import (
    LIFETIME_S,
    account_of_listen_key,
    close_listen_key,
    extend_listen_key,
    open_listen_key,
)

pytestmark = pytest.mark.usefixtures("shared_redis")


def remaining_s(listen_key: str) -> int:
    return int(listen_keys._connection().ttl(f"listen-key:{listen_key}"))


def age(listen_key: str, account: int) -> None:
    for name in (f"listen-key:{listen_key}", f"listen-key-of:{account}"):
        listen_keys._connection().expire(name, 10)


def test_opened_and_closed() -> None:
    key = open_listen_key(account=7)
    assert account_of_listen_key(listen_key=key) == 7
    assert open_listen_key(account=7) == key
    assert open_listen_key(account=8) != key
    assert close_listen_key(account=7, listen_key=key)
    assert account_of_listen_key(listen_key=key) is None
    assert not close_listen_key(account=7, listen_key=key)
    assert not extend_listen_key(account=7, listen_key=key)
    assert open_listen_key(account=7) != key


def test_an_hour_from_the_last_time() -> None:
    key = open_listen_key(account=7)
    age(key, 7)
    assert extend_listen_key(account=7, listen_key=key)
    assert remaining_s(key) > LIFETIME_S - 10
    age(key, 7)
    assert open_listen_key(account=7) == key
    assert remaining_s(key) > LIFETIME_S - 10


def test_of_another_account() -> None:
    key = open_listen_key(account=7)
    assert not extend_listen_key(account=8, listen_key=key)
    assert not close_listen_key(account=8, listen_key=key)
    assert account_of_listen_key(listen_key=key) == 7
