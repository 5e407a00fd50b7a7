"""A part: one long-running program of the exchange, as data."""

import ctypes
import os
import platform
import pwd
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from exchange_site.standing_back import stand_back

PR_SET_PDEATHSIG = 1
SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
"""The number of that system call; the C library has had a function for it only since 2025."""

SHORT_TURN_MS: Final = 0.2
"""Linux grants turns of a tenth of a millisecond to a tenth of a second, about 3 ms by itself."""

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Part:
    """A program to keep running. `environment` is added to that of the process that starts it."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    """Runs as this user; only root can start such a part."""
    cwd: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0
    """How long it may take to stop before it is killed."""
    orphan_signal: signal.Signals = signal.SIGKILL
    """What it is sent when the process that started it is gone."""
    niceness: int = 0
    """How far it stands back where processors are scarce."""
    short_turns: bool = False
    """It has little to do at a time, and somebody waits for it: whoever has a processor for long
    lets it in at once, and it lets the next one in as soon (Linux 6.12 and newer)."""

    def popen_options(self) -> dict[str, Any]:
        """Arguments for `subprocess.Popen`: a session of its own, that ends with its parent."""
        options: dict[str, Any] = {
            "cwd": self.cwd,
            "env": {**os.environ, **self.environment},
            # Ctrl-C in a terminal then reaches the supervisor alone, which stops all in order.
            "start_new_session": True,
            "preexec_fn": self._begin(),
        }
        if self.user is not None:
            account = pwd.getpwnam(self.user)
            options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        return options

    def _begin(self) -> Callable[[], None]:
        """What a child does before it becomes its program."""
        ask = end_with_parent(self.orphan_signal)

        def begin() -> None:
            if self.niceness:
                stand_back(self.niceness)
            if self.short_turns:
                take_short_turns()
            if ask is not None:
                ask()

        return begin


def take_short_turns() -> None:
    """Of this thread and those that it starts; the share of the processor stays what it is."""
    number = SCHED_SETATTR.get(platform.machine())
    if _libc is None or number is None:
        return
    # struct sched_attr: size, policy (SCHED_OTHER), flags, nice, priority, then the turn in
    # nanoseconds where policies with deadlines have their runtime; the rest is theirs.
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    turn_ns = int(SHORT_TURN_MS * 1_000_000)
    attributes = struct.pack("=IIQiIQQQ", 48, os.SCHED_OTHER, 0, niceness, 0, turn_ns, 0, 0)
    _libc.syscall(number, 0, attributes, 0)  # refused by old kernels: then turns stay long


def end_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """Asks Linux, from within a child, for that signal when the child's parent ends."""
    if _libc is None:
        return None
    prctl, parent = _libc.prctl, os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(orphan_signal))
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(1)

    return ask
