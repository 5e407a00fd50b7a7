"""Programs that let others go first where processors are scarce."""

import errno
import os
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_TRIES: Final = 20
_TRY_AGAIN_S: Final = 0.05
"""Linux lets programs that are not root's change the weight of a session ten times a second in all,
and a few begin at once."""


def stand_back(niceness: int) -> None:
    """Let all others go first, whatever session they are of."""
    os.nice(niceness)
    _weigh_session("self", niceness)


def hold_back_server(connection: int, server: int) -> None:
    """Let a server's process `server`, which works for us over the socket `connection`, stand back
    as far as we do.

    Does nothing where we do not stand back ourselves, and where that number means no child of
    whoever listens at the other end: it is then of another machine, or of another container.
    """
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness <= 0 or not _is_child(server, of=_listener(connection)):
        return
    with suppress(OSError):  # not ours: it belongs to another user
        os.setpriority(os.PRIO_PROCESS, server, niceness)
        _weigh_session(str(server), niceness)


def _weigh_session(process: str, niceness: int) -> None:
    """Where Linux groups processes by session it weighs the groups first, by a niceness of theirs:
    without that a nice process of its own session gets as much as a busy one of another."""
    for _ in range(_TRIES):
        try:
            group = os.open(f"/proc/{process}/autogroup", os.O_WRONLY)
            try:
                os.write(group, str(niceness).encode())
            finally:
                os.close(group)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return
            time.sleep(_TRY_AGAIN_S)
        else:
            return


def _listener(connection: int) -> int:
    """The process that listens where the socket is connected to; 0 where it is not known here."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    with socket.socket(fileno=os.dup(connection)) as end:
        if end.family != socket.AF_UNIX:
            return 0
        told = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process, _, _ = struct.unpack("3i", told)
    return int(process)


def _is_child(process: int, *, of: int) -> bool:
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    # The name, in brackets, may hold anything; the state and the parent stand behind it.
    return of > 0 and int(told.rpartition(")")[2].split()[1]) == of
