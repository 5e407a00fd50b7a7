"""`/health` is bounded in time, whatever the parts do."""

import threading
from collections.abc import Iterator

import httpx
import pytest
import redis
from django.db import connection
from django.test import override_settings

from engine.journal import tail_sequence
from engine.presence import Leader, Presence, Standby
from engine.snapshots.tests.scene import Scene
from exchange_site import health
from exchange_site.health import (
    Part,
    PartDown,
    Prober,
    _SettingsCheck,
    describe_presence,
    judge_follower,
    judge_projector,
    probe_follower,
)
from exchange_site.servers.addresses import ServerAddresses
from exchange_site.servers.checks import ENGINE_REDIS_SETTINGS
from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange


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
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.5)
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
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 30.0)
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


@pytest.mark.parametrize(
    ("lag", "lag_ms", "still_ms", "error"),
    [
        (0, 0, 5, None),
        (0, 0, 3_600_000, None),  # nothing happens
        (1, 20, 3_600_000, None),  # the first entry after an hour
        (9_000, 60_000, 300, None),  # catches up
        (1, 9_000, 9_000, None),  # may still move
        (1, 10_001, 10_001, "does not move"),
        (1, 10_001, None, "does not move"),  # never has
        (1, 50, None, None),  # the very first entry
        (10_001, 50, 50, "far behind"),
    ],
)
def test_projector(lag: int, lag_ms: int, still_ms: int | None, error: str | None) -> None:
    figures = {"sequence": 20_000, "lag": lag, "lag_ms": lag_ms}
    if error is None:
        assert judge_projector(tail=20_000, lag=lag, lag_ms=lag_ms, still_ms=still_ms) == figures
        return
    with pytest.raises(PartDown, match=error) as down:
        judge_projector(tail=20_000, lag=lag, lag_ms=lag_ms, still_ms=still_ms)
    assert down.value.figures == figures


@pytest.mark.parametrize(
    ("age_ms", "lag", "lag_ms", "up_ms", "error"),
    [
        (None, 0, 0, 10**9, None),  # nothing ever happened
        (None, 5, 899_999, 10**9, None),  # the first snapshot is still to come
        (None, 5, 900_001, 10**9, "takes no snapshots"),
        (10**8, 0, 0, 10**9, None),  # nothing happens
        (10**8, 1, 20, 10**9, None),  # the first entry after a day
        (10**8, 1, 10**8, 30_000, None),  # started after a day
        (10**8, 1, 900_001, 10**9, "takes no snapshots"),
        (1_000, 9_000_000, 900_001, 10**9, "far behind"),
        (1_000, 9_000_000, 10_000, 10**9, None),
    ],
)
def test_follower(age_ms: int | None, lag: int, lag_ms: int, up_ms: int, error: str | None) -> None:
    sequence = None if age_ms is None else 7
    figures = {"sequence": sequence, "age_ms": age_ms, "lag": lag, "lag_ms": lag_ms}
    with override_settings(HEALTH_SNAPSHOT_WAIT_S=900.0):
        if error is None:
            assert judge_follower(**figures, up_ms=up_ms) == figures  # type: ignore[arg-type]
            return
        with pytest.raises(PartDown, match=error) as down:
            judge_follower(**figures, up_ms=up_ms)  # type: ignore[arg-type]
    assert down.value.figures == figures


def test_the_newest_snapshot_is_shown(
    db: None,
    engine_redis: "redis.Redis",
    shared_redis: "redis.Redis",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's transaction is on it
    scene = Scene(engine_redis, shared_redis)
    scene.trade(3)
    tail = tail_sequence(engine_redis)
    before = probe_follower()
    assert (before["sequence"], before["age_ms"], before["lag"]) == (None, None, tail)
    at = scene.snapshot()
    after = probe_follower()
    assert (after["sequence"], after["lag"], after["lag_ms"]) == (at, 0, 0)
    assert after["age_ms"] >= 0
    scene.trade(2)
    assert probe_follower()["lag"] == 2
    assert probe_follower()["lag_ms"] > 0


def test_a_running_exchange_tells_of_its_follower(exchange: RunningExchange) -> None:
    def told(path: str) -> httpx.Response:
        return httpx.get(f"{exchange.url}{path}", timeout=20)

    wait_until(lambda: told("/health").json()["follower"]["ok"], "it follows")
    part = told("/health").json()["follower"]
    assert part.keys() >= {"sequence", "age_ms", "lag", "lag_ms"}
    wait_until(
        lambda: 'exchange_up{part="follower"} 1.0' in told("/metrics").text, "the metrics say so"
    )
    assert "exchange_snapshot_lag_milliseconds" in told("/metrics").text


def test_who_leads_and_who_stands_by() -> None:
    leader = Leader("north", 11, epoch=3, since=1_000)
    standbys = [Standby("south", 12, sequence=9, seen=2_000), Standby("east", 13, 12, 2_000)]
    assert describe_presence(Presence(True, leader, standbys), tail=11) == {
        "leader": {"instance": "north", "pid": 11, "epoch": 3, "since": 1_000},
        "standbys": [
            {"instance": "south", "pid": 12, "lag": 2},
            {"instance": "east", "pid": 13, "lag": 0},
        ],
    }
    # The newest leader is no leader once its lease has ended.
    nobody: Part = {"leader": None, "standbys": []}
    assert describe_presence(Presence(False, leader, []), tail=11) == nobody


def test_a_servers_wrong_setting_is_seen(
    servers: ServerAddresses, engine_redis: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    url = servers.engine_redis_url
    check = _SettingsCheck()
    check.check("ENGINE_REDIS_URL", url, ENGINE_REDIS_SETTINGS)
    engine_redis.config_set("appendfsync", "everysec")
    try:
        check.check("ENGINE_REDIS_URL", url, ENGINE_REDIS_SETTINGS)  # within the minute
        monkeypatch.setattr(health, "SETTINGS_EVERY_S", -1.0)
        for _ in range(2):
            with pytest.raises(PartDown, match="appendfsync is 'everysec'"):
                check.check("ENGINE_REDIS_URL", url, ENGINE_REDIS_SETTINGS)
    finally:
        engine_redis.config_set("appendfsync", "always")
    check.check("ENGINE_REDIS_URL", url, ENGINE_REDIS_SETTINGS)
