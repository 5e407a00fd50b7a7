"""What is counted in windows of time, without their ends."""

from types import SimpleNamespace

import pytest

from accounts import counters


@pytest.fixture
def standing_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No window ends while a test counts."""
    monkeypatch.setattr(counters, "time", SimpleNamespace(time=lambda: 1_760_000_000.0))
