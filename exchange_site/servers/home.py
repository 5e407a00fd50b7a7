"""EXCHANGE_HOME: the folder of one installation, and what stands where in it."""

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class UnsafeFolder(Exception):
    """A folder that must be private could be written by somebody else."""


@dataclass(frozen=True)
class ExchangeHome:
    """The folder of one installation. Nothing is created before something is asked for."""

    path: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], default: Path) -> Self:
        """`EXCHANGE_HOME`, relative to the working directory, else `default`."""
        return cls(Path(environ.get("EXCHANGE_HOME") or default).resolve())

    def create(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def static(self) -> Path:
        return self.path / "static"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def sockets(self) -> Path:
        """Where the embedded servers listen: short, since a socket's path ends at 107 bytes.

        It is derived from the real path, so that every process of one installation finds it
        without being told, and from the owner of the home, so that root reaches the servers of
        somebody else's exchange. Raises UnsafeFolder where it stands and belongs to a stranger.
        """
        folder = Path(f"/tmp/exchange-{self._owner()}-{self._digest()}")  # noqa: S108 (checked below)
        self._refuse_strangers(folder)
        return folder

    def create_sockets(self) -> Path:
        """The folder of the sockets, made for this user alone."""
        folder = self.sockets
        folder.mkdir(mode=0o700, exist_ok=True)
        self._refuse_strangers(folder)
        if os.lstat(folder).st_uid == os.getuid():
            # Root's PostgreSQL runs as somebody else, who must get through to its own folder.
            folder.chmod(0o711 if os.getuid() == 0 else 0o700)
        return folder

    def remove_sockets(self) -> None:
        """Leave nothing in /tmp once the servers are gone."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    def secret_key(self) -> str:
        """A random key, made once for this installation and readable by its owner only."""
        return self.write_once("secret_key", lambda: secrets.token_urlsafe(48))

    def write_once(self, name: str, make: Callable[[], str]) -> str:
        """What the private file holds; where there is none (or an empty one), what is made now."""
        path = self.path / name
        with suppress(FileNotFoundError):
            if text := path.read_text(encoding="ascii"):
                return text
            path.unlink(missing_ok=True)
        self.create()
        draft = self.path / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link appears complete or not at all, and the first of several processes wins.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text(encoding="ascii")

    def _owner(self) -> int:
        try:
            return self.path.stat().st_uid
        except FileNotFoundError:
            return os.getuid()

    def _digest(self) -> str:
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]

    def _refuse_strangers(self, folder: Path) -> None:
        """In /tmp anybody may have made the folder first, or a link in its place."""
        try:
            status = os.lstat(folder)
        except FileNotFoundError:
            return
        trusted = {0, os.getuid(), self._owner()}
        writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in trusted or writable:
            raise UnsafeFolder(
                f"{folder} must be a folder that only its owner can write, and belong to the owner "
                f"of {self.path}. Somebody else may have put it there: look at it, and remove it."
            )
