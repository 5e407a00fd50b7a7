"""A password that is printed works."""

import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.management.commands import create_demo_users
from accounts.models import User
from exchange_site.servers.home import ExchangeHome

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create_demo_users, "fund", lambda **_: None)


def printed(settings: Settings, home: Path) -> dict[str, str]:
    settings.HOME = ExchangeHome(home)
    out = io.StringIO()
    call_command("create_demo_users", stdout=out)
    return dict(re.findall(r"^demo: (\w+) / (.*)$", out.getvalue(), re.MULTILINE))


def works(passwords: dict[str, str]) -> list[bool]:
    return [User.objects.get(username=n).check_password(p) for n, p in passwords.items()]


def test_the_same_ones_at_every_start(settings: Settings, tmp_path: Path) -> None:
    first = printed(settings, tmp_path)
    assert set(first) == {"demo", "trader", "admin"}
    assert works(first) == [True] * 3
    assert printed(settings, tmp_path) == first
    assert (tmp_path / "demo-passwords.json").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "demo-passwords.json"]


def test_another_homes_users_keep_their_passwords(settings: Settings, tmp_path: Path) -> None:
    first = printed(settings, tmp_path / "first")
    for text in printed(settings, tmp_path / "second").values():
        assert text.startswith("(another password; `manage.py changepassword ")
    assert works(first) == [True] * 3


def test_a_file_that_was_left_empty_is_made_again(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "demo-passwords.json").touch()
    assert works(printed(settings, tmp_path)) == [True] * 3
