"""Calls are counted: those of unknown callers by address, and no key counts without a signature."""

import hashlib
import hmac
import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts import failed_calls, selectors
from accounts.models import Tier, User
from accounts.services import CreatedKey, api_key_create

pytestmark = pytest.mark.django_db

LIMIT = 3
HERE = "192.0.2.7"
ELSEWHERE = "192.0.2.8"
PRIVATE = "/api/v1/order/history"
PUBLIC = "/api/v1/trades"


@pytest.fixture(autouse=True)
def _small_limits(settings: Settings, standing_windows: None) -> None:
    cache.clear()
    failed_calls._blocked_until.clear()
    settings.REQUESTS_PER_MINUTE_ADDRESS = LIMIT
    settings.REQUESTS_PER_MINUTE_USER = 2 * LIMIT


def key_of(name: str, tier: str = Tier.DEFAULT) -> CreatedKey:
    return api_key_create(user=User.objects.create_user(name), tier=tier)


def call(path: str, address: str = HERE, **headers: str) -> Any:
    return Client().get(path, {"symbol": "NOPE"}, REMOTE_ADDR=address, headers=headers)


def signed(path: str, key: CreatedKey, address: str = HERE) -> Any:
    query = f"symbol=NOPE&timestamp={time.time_ns() // 1_000_000}"
    signature = hmac.new(key.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return Client().get(
        f"{path}?{query}&signature={signature}",
        REMOTE_ADDR=address,
        headers={"X-MBX-APIKEY": key.api_key.key},
    )


@pytest.mark.parametrize(
    "headers", [{}, {"X-MBX-APIKEY": "unknown"}, {"Authorization": "Bearer unknown"}]
)
def test_failures_are_counted_by_address(headers: dict[str, str]) -> None:
    for _ in range(LIMIT):
        assert call(PRIVATE, **headers).status_code == 401
    answer = call(PRIVATE, **headers)
    assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert call(PRIVATE, ELSEWHERE, **headers).status_code == 401


def test_beyond_the_limit_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(LIMIT + 1):
        call(PRIVATE, **{"X-MBX-APIKEY": "unknown"})

    def look_up(_: str) -> None:
        raise AssertionError

    monkeypatch.setattr(selectors._credentials, "_load", look_up)
    monkeypatch.setattr(selectors._tokens, "_load", look_up)
    for headers in ({"X-MBX-APIKEY": "another"}, {"Authorization": "Bearer x"}):
        assert call(PRIVATE, **headers).status_code == 429


def test_who_is_known_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    key = key_of("neighbour")
    for _ in range(LIMIT + 1):
        call(PRIVATE)
    monkeypatch.setattr(selectors._credentials, "knows", lambda found: found == key.api_key.key)
    assert signed(PRIVATE, key).status_code != 429


def test_somebody_elses_key_spends_only_the_addresss_budget() -> None:
    key = key_of("owner")
    for _ in range(LIMIT):
        assert call(PUBLIC, **{"X-MBX-APIKEY": key.api_key.key}).status_code == 404
    assert call(PUBLIC, **{"X-MBX-APIKEY": key.api_key.key}).status_code == 429
    for _ in range(2 * LIMIT):
        assert signed(PUBLIC, key).status_code == 404
    assert signed(PUBLIC, key).status_code == 429, "the owner's own"


def test_a_makers_key_lifts_limits_only_with_its_signature() -> None:
    key = key_of("maker", Tier.MAKER)
    for _ in range(LIMIT):
        assert call(PUBLIC, **{"X-MBX-APIKEY": key.api_key.key}).status_code == 404
    assert call(PUBLIC, **{"X-MBX-APIKEY": key.api_key.key}).status_code == 429
    for _ in range(3 * LIMIT):
        assert signed(PUBLIC, key).status_code == 404
