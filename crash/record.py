"""What traders sent and were told, kept where no kill reaches it."""

import time
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Final

SENT = "s"
ACKNOWLEDGED = "a"
REFUSED = "r"
UNKNOWN = "u"

METER_STEP_S: Final = 0.5


class Record:
    """By the orders' own names. An order whose fate was unknown may have been sent again."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.acknowledged: dict[str, int] = {}
        """The order id that came with the acknowledgement."""
        self.refused: set[str] = set()
        self.unknown: set[str] = set()
        self.contradicted: set[str] = set()
        """Told two different things about one order."""
        self._lock = Lock()

    def note(self, what: str, name: str, order_id: int = 0) -> None:
        with self._lock:
            if what == SENT:
                self.sent.add(name)
            elif what == ACKNOWLEDGED:
                if self.acknowledged.setdefault(name, order_id) != order_id or name in self.refused:
                    self.contradicted.add(name)
            elif what == REFUSED:
                self.refused.add(name)
                if name in self.acknowledged:
                    self.contradicted.add(name)
            else:
                self.unknown.add(name)


class Meter:
    """How long, and how many, orders were acknowledged: the time of outages does not count."""

    def __init__(self) -> None:
        self.up_s = 0.0
        self.counted = 0
        self._at = time.monotonic()

    def note(self, acknowledged: int) -> None:
        """So many so far. A step in which none came at all is an outage's."""
        now = time.monotonic()
        if now - self._at < METER_STEP_S:
            return
        if acknowledged > self.counted:
            self.up_s += now - self._at
        self.counted, self._at = acknowledged, now

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.counted / self.up_s if self.up_s else 0.0


class RecordReader:
    """Follows the file that a load writes, a whole line at a time."""

    def __init__(self, path: Path, record: Record) -> None:
        self._file = path.open("rb")
        self._record = record
        self._rest = b""

    def read(self) -> None:
        """Note what was written since."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            what, name, order_id = line.decode().split(" ")
            self._record.note(what, name, int(order_id))

    def close(self) -> None:
        self._file.close()


class RecordWriter:
    """A load's own side of it. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1 << 16)
        self._lock = Lock()

    def note(self, what: str, name: str, order_id: int = 0) -> None:
        with self._lock:
            self._file.write(f"{what} {name} {order_id}\n")

    def note_all(self, what: str, names: Iterable[str]) -> None:
        """Written through: what is about to be sent is known to have been sent."""
        with self._lock:
            self._file.writelines(f"{what} {name} 0\n" for name in names)
            self._file.flush()
