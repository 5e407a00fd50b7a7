"""The log of a part: its output as it is, in files of bounded size."""

import os
from pathlib import Path

LIMIT_BYTES = 10_000_000


class PartLog:
    """Appends to `path`; a full file becomes `<path>.1`, and the one of that name is lost."""

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._limit_bytes = limit_bytes
        self._file = path.open("ab", buffering=0)

    def write(self, output: bytes) -> None:
        if self._file.tell() + len(output) > self._limit_bytes:
            self._turn_over()
        self._file.write(output)

    def tail(self, size_bytes: int = 2_000) -> str:
        """The last lines, to show where somebody waits for the part."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - size_bytes))
            return file.read().decode(errors="replace")

    def close(self) -> None:
        self._file.close()

    def _turn_over(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(self.path.name + ".1"))
        self._file = self.path.open("ab", buffering=0)
