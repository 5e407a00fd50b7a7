"""The admin's page of dead letters."""

import msgspec
import pytest
import redis
from django.test import Client

from accounts.models import User
from engine import admin
from engine.dead_letters import DEAD_LETTERS_KEY, DeadLetter

PATH = "/admin/engine/deadletter/"


def store(connection: "redis.Redis", message: str, *, sequence: int = 7) -> None:
    letter = DeadLetter(sequence, 1_760_000_000_000, "ab" * 32, message, 3, "Traceback: <Boom>")
    connection.xadd(DEAD_LETTERS_KEY, {"letter": msgspec.json.encode(letter)})


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("operator", password="long enough"))
    return client


def test_it_shows_the_command_and_the_traceback(
    operator: Client, engine_redis: "redis.Redis"
) -> None:
    store(engine_redis, '["web",5] ["deposit",1,"USD",5,"k"]')
    text = operator.get(PATH).content.decode()
    assert "journal entry 7" in text
    assert "2025-10-09 08:53:20 UTC" in text
    assert "&quot;deposit&quot;" in text
    assert "&lt;Boom&gt;" in text
    assert "Dead letters" in operator.get("/admin/").content.decode()


def test_what_is_no_json_is_shown_as_it_is(operator: Client, engine_redis: "redis.Redis") -> None:
    store(engine_redis, "<junk>")
    assert "&lt;junk&gt;" in operator.get(PATH).content.decode()


def test_there_are_none(operator: Client, engine_redis: "redis.Redis") -> None:
    assert "There are none." in operator.get(PATH).content.decode()


def test_only_the_newest_are_shown(
    operator: Client, engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "SHOWN", 2)
    for sequence in (1, 2, 3):
        store(engine_redis, "[]", sequence=sequence)
    text = operator.get(PATH).content.decode()
    assert "The newest 2 of 3." in text
    assert "journal entry 3" in text
    assert "journal entry 1" not in text


def test_without_its_redis_it_says_so(operator: Client, settings: object) -> None:
    settings.ENGINE_REDIS_URL = "unix:///nowhere/engine.sock"  # type: ignore[attr-defined]
    answer = operator.get(PATH)
    assert answer.status_code == 200
    assert "does not answer" in answer.content.decode()


def test_nothing_can_be_changed(operator: Client, engine_redis: "redis.Redis") -> None:
    store(engine_redis, "[]")
    assert operator.get(f"{PATH}add/").status_code == 403
    assert (
        "There are none." not in operator.post(PATH, {"action": "delete_selected"}).content.decode()
    )


@pytest.mark.parametrize("is_staff", [False, True])
def test_others_may_not_see_it(client: Client, db: None, is_staff: bool) -> None:
    client.force_login(User.objects.create_user("curious", is_staff=is_staff))
    assert client.get(PATH).status_code == (403 if is_staff else 302)
