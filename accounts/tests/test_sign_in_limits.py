"""Passwords are tried a few times per account and address, wherever they are asked for."""

import uuid

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.test import Client, RequestFactory

from accounts.models import User
from accounts.throttles import SIGN_INS_PER_ACCOUNT, SignInThrottled

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse"


@pytest.fixture
def user(standing_windows: None) -> User:
    cache.clear()
    return User.objects.create_user(f"user-{uuid.uuid4().hex}", password=PASSWORD)


def attempt(user: User, password: str) -> object:
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")
    return authenticate(request, username=user.username, password=password)


def test_right_passwords_do_not_count(user: User) -> None:
    for _ in range(SIGN_INS_PER_ACCOUNT.limit + 1):
        assert attempt(user, PASSWORD) == user


def test_after_too_many_wrong_ones_the_right_one_waits_too(user: User) -> None:
    for _ in range(SIGN_INS_PER_ACCOUNT.limit):
        assert attempt(user, "wrong") is None
    with pytest.raises(SignInThrottled):
        attempt(user, PASSWORD)


def test_inactive_users_are_refused(user: User) -> None:
    user.is_active = False
    user.save()
    assert attempt(user, PASSWORD) is None


@pytest.mark.parametrize("path", ["/account/sign-in", "/admin/login/"])
def test_the_pages_say_so(user: User, client: Client, path: str) -> None:
    form = {"username": user.username, "password": "wrong"}
    for _ in range(SIGN_INS_PER_ACCOUNT.limit):
        assert b"Too many attempts" not in client.post(path, form).content
    assert b"Too many attempts" in client.post(path, form).content


def test_the_api_says_so(user: User, client: Client) -> None:
    form = {"username": user.username, "password": "wrong"}
    for _ in range(SIGN_INS_PER_ACCOUNT.limit):
        answer = client.post("/api/v1/auth/token", form, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_CREDENTIALS")
    answer = client.post("/api/v1/auth/token", form, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMITED")
    assert int(answer["Retry-After"]) > 0
