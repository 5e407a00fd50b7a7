"""Who stands back takes the database's process along, and nobody else's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_CONNECT = """
import os, pathlib, django
django.setup()
from django.db import connection
connection.ensure_connection()
server = connection.connection.info.backend_pid
group = pathlib.Path(f"/proc/{server}/autogroup")
print(os.getpriority(os.PRIO_PROCESS, server))
print(group.read_text().split()[-1] if group.exists() else "none")

# Another process has that number: this one's parent.
from exchange_site.standing_back import hold_back_server
hold_back_server(connection.connection.fileno(), os.getppid())
print(os.getpriority(os.PRIO_PROCESS, os.getppid()))
"""

needs_socket = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells who listens at the other end of a socket"
)


def told_with(niceness: int) -> list[str]:
    """What a program of that niceness finds: the niceness of the database's process, that of its
    session, and that of a process which is not the database's."""
    own = os.nice(0)
    done = subprocess.run(
        [sys.executable, "-c", _CONNECT],
        preexec_fn=lambda: os.nice(niceness - own),
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "exchange_site.settings"},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().split()


@needs_socket
@pytest.mark.django_db
def test_the_database_works_for_a_nice_program_as_nicely() -> None:
    own, session, other = told_with(9)
    assert own == "9"
    assert session in ("9", "none")
    # As where the database is in another container, and its numbers mean other processes here.
    assert other == str(os.nice(0))


@needs_socket
@pytest.mark.django_db
def test_for_others_it_does_not() -> None:
    assert told_with(os.nice(0))[0] == str(os.nice(0))
