"""`/health` is bounded in time, whatever the parts do."""

import threading
from collections.abc import Iterator

import pytest

from exchange_site import health
from exchange_site.health import Part, PartDown, Prober


@pytest.fixture(autouse=True)
def _always_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LIFETIME_S", -1.0)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def well() -> Part:
    return {"lag": 3}


def test_all_are_well() -> None:
    assert Prober({"a": well}).report() == (True, {"a": {"ok": True, "lag": 3}})


def test_one_is_not() -> None:
    def ill() -> Part:
        raise PartDown("nobody leads", queue=4)

    def broken() -> Part:
        raise OSError("secret detail")

    report = Prober({"a": well, "b": ill, "c": broken}).report()
    assert not report.ok
    assert report.parts == {
        "a": {"ok": True, "lag": 3},
        "b": {"ok": False, "error": "nobody leads", "queue": 4},
        "c": {"ok": False, "error": "OSError"},
    }


def test_one_hangs_and_comes_back(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.05)
    asked = []

    def hangs() -> Part:
        asked.append(1)
        gate.wait()
        return {}

    prober = Prober({"a": well, "b": hangs})
    for _ in range(3):
        report = prober.report()
        assert report.parts["a"]["ok"]
        assert report.parts["b"] == {"ok": False, "error": "does not answer in time"}
    assert len(asked) == 1, "a hanging probe holds one thread"
    gate.set()
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 5.0)
    assert prober.report().ok


def test_an_answer_serves_all_who_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LIFETIME_S", 60.0)
    asked = []

    def counts() -> Part:
        asked.append(1)
        return {}

    prober = Prober({"a": counts})
    assert prober.report() is prober.report()
    assert len(asked) == 1
