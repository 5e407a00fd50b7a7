"""Listen keys in the shared Redis: one an account, for an hour, and no longer than the API keys."""

import uuid

import pytest

from accounts.models import User
from accounts.selectors import get_credential
from accounts.services import api_key_create, api_key_revoke
from engine.connections import connect
from markets.binance import listen_keys
from markets.binance.listen_keys import (
    LIFETIME_S,
    ListenKeysUnavailable,
    account_of_listen_key,
    close_listen_key,
    extend_listen_key,
    open_listen_key,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shared_redis")]


@pytest.fixture
def user() -> User:
    return User.objects.create_user(f"user-{uuid.uuid4().hex}")


@pytest.fixture
def account(user: User) -> int:
    return user.pk


@pytest.fixture
def other() -> int:
    return User.objects.create_user(f"other-{uuid.uuid4().hex}").pk


def remaining_s(listen_key: str) -> int:
    return int(listen_keys._connection().ttl(f"listen-key:{listen_key}"))


def age(listen_key: str, account: int) -> None:
    for name in (f"listen-key:{listen_key}", f"listen-key-of:{account}"):
        listen_keys._connection().expire(name, 10)


def test_opened_and_closed(account: int, other: int) -> None:
    key = open_listen_key(account=account, revocations=0)
    assert account_of_listen_key(listen_key=key) == account
    assert open_listen_key(account=account, revocations=0) == key
    assert open_listen_key(account=other, revocations=0) != key
    assert close_listen_key(account=account, listen_key=key)
    assert account_of_listen_key(listen_key=key) is None
    assert not close_listen_key(account=account, listen_key=key)
    assert not extend_listen_key(account=account, revocations=0, listen_key=key)
    assert open_listen_key(account=account, revocations=0) != key


def test_an_hour_from_the_last_time(account: int) -> None:
    key = open_listen_key(account=account, revocations=0)
    age(key, account)
    assert extend_listen_key(account=account, revocations=0, listen_key=key)
    assert remaining_s(key) > LIFETIME_S - 10
    age(key, account)
    assert open_listen_key(account=account, revocations=0) == key
    assert remaining_s(key) > LIFETIME_S - 10


def test_of_another_account(account: int, other: int) -> None:
    key = open_listen_key(account=account, revocations=0)
    assert not extend_listen_key(account=other, revocations=0, listen_key=key)
    assert not close_listen_key(account=other, listen_key=key)
    assert account_of_listen_key(listen_key=key) == account


def revocations(api_key: str) -> int:
    credential = get_credential(key=api_key)
    assert credential is not None
    return credential.revocations


def test_it_ends_with_any_api_key_of_its_account(user: User) -> None:
    stolen, kept = (api_key_create(user=user).api_key for _ in "ab")
    before = revocations(kept.key)
    key = open_listen_key(account=user.pk, revocations=before)
    api_key_revoke(api_key=stolen)
    assert account_of_listen_key(listen_key=key) is None
    after = revocations(kept.key)
    assert not extend_listen_key(account=user.pk, revocations=after, listen_key=key)
    new = open_listen_key(account=user.pk, revocations=after)
    assert new != key
    assert account_of_listen_key(listen_key=new) == user.pk
    assert remaining_s(key) < 0, "the old one is gone"
    api_key_revoke(api_key=stolen)
    assert account_of_listen_key(listen_key=new) == user.pk, "it was revoked before"


def test_a_revoked_key_that_a_process_still_remembers_opens_nothing(user: User) -> None:
    stolen = api_key_create(user=user).api_key
    remembered = revocations(stolen.key)
    api_key_revoke(api_key=stolen)
    key = open_listen_key(account=user.pk, revocations=remembered)
    assert account_of_listen_key(listen_key=key) is None


def test_that_of_an_inactive_user(user: User) -> None:
    key = open_listen_key(account=user.pk, revocations=0)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert account_of_listen_key(listen_key=key) is None


def test_a_revocation_needs_no_redis(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    stolen = api_key_create(user=user).api_key
    key = open_listen_key(account=user.pk, revocations=0)
    with monkeypatch.context() as patch:
        patch.setattr(listen_keys, "_connection", lambda: connect("redis://127.0.0.1:1"))
        api_key_revoke(api_key=stolen)
        with pytest.raises(ListenKeysUnavailable):
            account_of_listen_key(listen_key=key)
    assert account_of_listen_key(listen_key=key) is None


def test_one_of_before_revocations_were_held(account: int) -> None:
    listen_keys._connection().set(f"listen-key:{'k' * 64}", account)
    assert account_of_listen_key(listen_key="k" * 64) is None
