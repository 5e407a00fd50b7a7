"""Engine processes for tests."""

import os
import subprocess
import sys
from contextlib import suppress

from django.conf import settings


class RunEngine:
    """Starts `run_engine` on the test's Redis; `started` holds the processes in order."""

    def __init__(self, url: str, database_url: str) -> None:
        self._url = url
        self._database_url = database_url
        self.started: list[subprocess.Popen[str]] = []

    def __call__(
        self, *arguments: str, url: str | None = None, database: str | None = None
    ) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_engine", *arguments],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "ENGINE_REDIS_URL": url or self._url,
                "DATABASE_URL": database or self._database_url,
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def stop(self) -> None:
        for process in self.started:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
