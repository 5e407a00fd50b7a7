"""`/api/v1/auth/token`."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import BearerToken, User
from accounts.selectors import get_bearer_token
from accounts.services import MAX_TOKENS, bearer_token_issue

pytestmark = pytest.mark.django_db

PATH = "/api/v1/auth/token"


@pytest.fixture
def user() -> User:
    cache.clear()
    return User.objects.create_user("phone", password="correct horse")


def sign_in(client: Client, **fields: object) -> Any:
    return client.post(PATH, fields, content_type="application/json")


def test_works(user: User, client: Client) -> None:
    answer = sign_in(client, username="phone", password="correct horse")
    assert answer.status_code == 200
    token = answer.json()["token"]
    row = get_bearer_token(token=token)
    assert row is not None
    assert row.user == user
    assert token not in row.sha256
    assert answer.json()["expires_at"] > timezone.now().timestamp() * 1000


def test_given_back(user: User, client: Client) -> None:
    token = bearer_token_issue(user=user).token
    headers = {"Authorization": f"Bearer {token}"}
    assert client.delete(PATH, headers=headers).status_code == 204
    again = client.delete(PATH, headers=headers)
    assert (again.status_code, again.json()["code"]) == (401, "INVALID_TOKEN")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"username": "phone", "password": "wrong"}, 401, "INVALID_CREDENTIALS"),
        ({"username": "nobody", "password": "wrong"}, 401, "INVALID_CREDENTIALS"),
        ({"username": "phone"}, 400, "MISSING_FIELD"),
        ({"username": "phone", "password": ""}, 400, "INVALID_FIELD"),
        ({"username": 1, "password": "x"}, 400, "INVALID_FIELD"),
        ({"username": "a\0b", "password": "x"}, 400, "INVALID_JSON"),
        ({"username": "phone", "password": "x", "otp": "1"}, 400, "UNKNOWN_FIELD"),
    ],
)
def test_malformed(
    user: User, client: Client, fields: dict[str, object], status: int, code: str
) -> None:
    answer = sign_in(client, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_stale_token_does_not_hinder_signing_in(user: User, client: Client) -> None:
    answer = client.post(
        PATH,
        {"username": "phone", "password": "correct horse"},
        content_type="application/json",
        headers={"Authorization": "Bearer stale"},
    )
    assert answer.status_code == 200


def test_wrong_method(client: Client) -> None:
    answer = client.put(PATH)
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_expired_and_inactive(user: User) -> None:
    expired = bearer_token_issue(user=user, lifetime=timedelta(seconds=-1)).token
    assert get_bearer_token(token=expired) is None
    token = bearer_token_issue(user=user).token
    User.objects.update(is_active=False)
    assert get_bearer_token(token=token) is None


def test_the_oldest_goes(user: User) -> None:
    tokens = [bearer_token_issue(user=user).token for _ in range(MAX_TOKENS + 1)]
    assert BearerToken.objects.count() == MAX_TOKENS
    assert get_bearer_token(token=tokens[0]) is None
    assert get_bearer_token(token=tokens[-1]) is not None
