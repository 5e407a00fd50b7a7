"""EXCHANGE_HOME: where it is, its secret, and its sockets."""

import os
import stat
from pathlib import Path

import pytest

from exchange_site.servers.home import ExchangeHome, UnsafeFolder

# sockaddr_un.sun_path holds 108 bytes, the last of them zero
LONGEST_SOCKET_PATH = 107


@pytest.fixture
def home(tmp_path: Path) -> ExchangeHome:
    return ExchangeHome(tmp_path.resolve() / "home")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "default"),
        ({"EXCHANGE_HOME": ""}, "default"),
        ({"EXCHANGE_HOME": "given"}, "given"),
        ({"EXCHANGE_HOME": "given/../other"}, "other"),
    ],
)
def test_home_comes_from_the_environment(
    environ: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = ExchangeHome.from_environment(environ, tmp_path / "default")
    assert home.path == tmp_path.resolve() / expected
    assert not home.path.exists()


def test_a_link_to_a_home_is_the_same_home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("home")
    direct, linked = (
        ExchangeHome.from_environment({"EXCHANGE_HOME": str(tmp_path / name)}, tmp_path)
        for name in ("home", "link")
    )
    assert direct.sockets == linked.sockets


def test_two_homes_share_no_sockets(tmp_path: Path) -> None:
    assert ExchangeHome(tmp_path / "a").sockets != ExchangeHome(tmp_path / "b").sockets


def test_sockets_have_short_names_whatever_the_length_of_the_home(tmp_path: Path) -> None:
    home = ExchangeHome(tmp_path / ("long" * 50))
    assert len(os.fsencode(home.sockets / "pg" / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH


def test_the_secret_key_is_made_once_and_private(home: ExchangeHome) -> None:
    key = home.secret_key()
    assert len(key) >= 50
    assert home.secret_key() == key
    assert stat.S_IMODE((home.path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in home.path.iterdir()] == ["secret_key"]


def test_the_folder_of_sockets_is_not_readable_by_others(home: ExchangeHome) -> None:
    home.create()
    folder = home.create_sockets()
    try:
        assert stat.S_IMODE(folder.stat().st_mode) & 0o066 == 0
    finally:
        home.remove_sockets()
    assert not folder.exists()


def test_a_link_in_place_of_the_sockets_is_refused(home: ExchangeHome, tmp_path: Path) -> None:
    home.create()
    folder = home.sockets
    folder.symlink_to(tmp_path)
    try:
        with pytest.raises(UnsafeFolder, match="only its owner"):
            home.create_sockets()
    finally:
        folder.unlink()


def test_a_folder_that_others_can_write_is_refused(home: ExchangeHome) -> None:
    home.create()
    folder = home.sockets
    folder.mkdir()
    folder.chmod(0o777)
    try:
        with pytest.raises(UnsafeFolder):
            _ = home.sockets
    finally:
        folder.rmdir()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_a_strangers_folder_is_refused(home: ExchangeHome) -> None:
    home.create()
    folder = home.sockets
    folder.mkdir(0o700)
    os.chown(folder, 12345, 12345)
    try:
        with pytest.raises(UnsafeFolder):
            _ = home.sockets
    finally:
        folder.rmdir()
