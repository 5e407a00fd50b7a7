"""`/health`: is each part well? 200 where all are, 503 otherwise, and one entry a part.

Cheap enough for a poll each second by many: the probes run side by side, are cut off after a
second, and their results serve all who ask within half a second.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Final, NamedTuple

import msgspec
import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from engine.connections import connect
from engine.dead_letters import count_dead_letters
from engine.intake import FULL_KEY, MAX_QUEUE_LENGTH
from engine.journal import read_after, tail_sequence
from engine.models import ProjectorPosition, Snapshot
from engine.presence import Presence, read_presence
from engine.publisher.reader import read_status
from engine.times import to_milliseconds
from engine.wire import QUEUE_KEY
from exchange_site.servers.checks import ENGINE_REDIS_SETTINGS, REDIS_SETTINGS, check_redis

PROBE_TIMEOUT_S: Final = 1.0
LIFETIME_S: Final = 0.5
SETTINGS_EVERY_S: Final = 60.0

STILL_MS: Final = 10_000
"""An entry that waits for so long, before a position that stands for so long, is not projected."""

_STARTED: Final = time.monotonic()

Part = dict[str, Any]


class PartDown(Exception):
    """A probe's answer that its part is not well; says why."""

    def __init__(self, error: str, **figures: Any) -> None:
        super().__init__(error)
        self.error = error
        self.figures = figures


class Report(NamedTuple):
    ok: bool
    parts: dict[str, Part]


def probe_engine() -> Part:
    """Somebody leads: the lease is held; and what is acknowledged is on disk.

    `memory` and `memory_limit` are its Redis server's, in bytes; 0 is no limit. `leader` says who
    leads, `standbys` who could take over, and how many journal entries each is behind.
    """
    with connect(settings.ENGINE_REDIS_URL, timeout_s=PROBE_TIMEOUT_S) as server:
        presence = read_presence(server)
        memory = server.info("memory")
        full = server.get(FULL_KEY)
        figures = {
            "queue": server.llen(QUEUE_KEY),
            "memory": memory["used_memory"],
            "memory_limit": memory["maxmemory"],
            "dead_letters": count_dead_letters(server),
            **describe_presence(presence, tail=tail_sequence(server)),
        }
    if 0 < memory["maxmemory"] < memory["used_memory"]:
        raise PartDown("its Redis is full", **figures)
    if not presence.leads:
        raise PartDown("no engine holds the lease", **figures)
    if full is not None:
        raise PartDown(f"takes no more orders: {full.decode(errors='replace')}", **figures)
    if figures["queue"] >= MAX_QUEUE_LENGTH:
        raise PartDown("its queue is full", **figures)
    _settings.check("ENGINE_REDIS_URL", settings.ENGINE_REDIS_URL, ENGINE_REDIS_SETTINGS)
    return figures


def describe_presence(presence: Presence, *, tail: int) -> Part:
    leader = presence.leader if presence.leads else None
    return {
        "leader": msgspec.to_builtins(leader) if leader is not None else None,
        "standbys": [
            {
                "instance": standby.instance,
                "pid": standby.pid,
                "lag": max(0, tail - standby.sequence),
            }
            for standby in presence.standbys
        ],
    }


def probe_redis() -> Part:
    with connect(settings.REDIS_URL, timeout_s=PROBE_TIMEOUT_S) as server:
        server.ping()
    _settings.check("REDIS_URL", settings.REDIS_URL, REDIS_SETTINGS)
    return {}


def probe_database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()
    return {}


def probe_projector() -> Part:
    """`lag` counts the journal entries that the slowest projection has not written yet, `lag_ms`
    says how long the first of them has waited."""
    try:
        positions = list(ProjectorPosition.objects.values_list("sequence", "updated_at"))
    finally:
        connection.close()
    sequence, moved_at = min(positions, default=(0, None))
    now_ms = time.time_ns() // 1_000_000
    with connect(settings.ENGINE_REDIS_URL, timeout_s=PROBE_TIMEOUT_S) as server:
        tail = tail_sequence(server)
        waiting = read_after(server, sequence, count=1)
    return judge_projector(
        tail=tail,
        lag=tail - sequence,
        lag_ms=max(0, now_ms - waiting[0].time) if waiting else 0,
        still_ms=now_ms - to_milliseconds(moved_at) if moved_at else None,
    )


def judge_projector(*, tail: int, lag: int, lag_ms: int, still_ms: int | None) -> Part:
    """Raises PartDown where it is far behind, or does not move though something waits.

    `still_ms`: since when the slowest position stands where it is; None where it never moved.
    A position that nothing waits for stands still too, and one that catches up has old entries
    before it: only both together say that nobody works.
    """
    figures = {"sequence": tail, "lag": lag, "lag_ms": lag_ms}
    if lag > settings.HEALTH_PROJECTOR_LAG:
        raise PartDown("far behind", **figures)
    if lag > 0 and lag_ms > STILL_MS and (still_ms is None or still_ms > STILL_MS):
        raise PartDown("does not move", **figures)
    return figures


class _SettingsCheck:
    """The servers' settings, looked at again every minute; a wrong one each time it is asked."""

    def __init__(self) -> None:
        self._well_at: dict[str, float] = {}

    def check(self, name: str, url: str, expected: Mapping[str, str]) -> None:
        now = time.monotonic()
        if now - self._well_at.get(name, float("-inf")) < SETTINGS_EVERY_S:
            return
        errors = [f for f in check_redis(name, url, expected) if f.level == "error"]
        if errors:
            raise PartDown(errors[0].message)
        self._well_at[name] = now


_settings: Final = _SettingsCheck()


def probe_publisher() -> Part:
    """Somebody leads; `lag` counts the journal entries that were not told to the world yet."""
    with connect(settings.ENGINE_REDIS_URL, timeout_s=PROBE_TIMEOUT_S) as server:
        tail = tail_sequence(server)
    with connect(settings.REDIS_URL, timeout_s=PROBE_TIMEOUT_S) as server:
        status = read_status(server)
    lag = max(0, tail - status.sequence)
    if not status.leads:
        raise PartDown("no publisher holds the lease", lag=lag)
    if lag > settings.HEALTH_PUBLISHER_LAG:
        raise PartDown("far behind", lag=lag)
    return {"lag": lag}


def probe_follower() -> Part:
    """`sequence` is the journal entry of the newest snapshot, `age_ms` how old it is; both null
    before the first one. `lag` counts the entries since, `lag_ms` says how long the first of them
    has waited for a snapshot."""
    try:
        newest = Snapshot.objects.order_by("-sequence", "-id").first()
    finally:
        connection.close()
    now_ms = time.time_ns() // 1_000_000
    sequence = newest.sequence if newest is not None else 0
    with connect(settings.ENGINE_REDIS_URL, timeout_s=PROBE_TIMEOUT_S) as server:
        tail = tail_sequence(server)
        waiting = read_after(server, sequence, count=1)
    return judge_follower(
        sequence=newest.sequence if newest is not None else None,
        age_ms=max(0, now_ms - to_milliseconds(newest.created_at)) if newest is not None else None,
        lag=max(0, tail - sequence),
        lag_ms=max(0, now_ms - waiting[0].time) if waiting else 0,
        up_ms=int((time.monotonic() - _STARTED) * 1000),
    )


def judge_follower(
    *, sequence: int | None, age_ms: int | None, lag: int, lag_ms: int, up_ms: int
) -> Part:
    """Raises PartDown where entries wait for a snapshot for too long.

    `up_ms`: how long this process runs. After a start, entries may have waited for as long as
    everything was stopped: that is not the follower's doing.
    """
    figures = {"sequence": sequence, "age_ms": age_ms, "lag": lag, "lag_ms": lag_ms}
    patience_ms = settings.HEALTH_SNAPSHOT_WAIT_S * 1000
    if min(lag_ms, up_ms) > patience_ms:
        is_idle = age_ms is None or age_ms > patience_ms
        raise PartDown("takes no snapshots" if is_idle else "far behind", **figures)
    return figures


PROBES: Final[dict[str, Callable[[], Part]]] = {
    "engine": probe_engine,
    "redis": probe_redis,
    "database": probe_database,
    "publisher": probe_publisher,
    "projector": probe_projector,
    "follower": probe_follower,
}


class Prober:
    """Runs the probes, at most one of each at a time: a probe that hangs holds one thread."""

    def __init__(self, probes: dict[str, Callable[[], Part]]) -> None:
        self._probes = probes
        self._threads = ThreadPoolExecutor(len(probes), thread_name_prefix="health")
        self._running: dict[str, Future[Part]] = {}
        self._lock = threading.Lock()
        self._report = Report(False, {})
        self._asked_at = float("-inf")

    def report(self) -> Report:
        with self._lock:
            if time.monotonic() - self._asked_at > LIFETIME_S:
                self._report = self._ask()
                self._asked_at = time.monotonic()
            return self._report

    def _ask(self) -> Report:
        deadline = time.monotonic() + PROBE_TIMEOUT_S
        for name, probe in self._probes.items():
            if name not in self._running:
                self._running[name] = self._threads.submit(probe)
        parts = {name: self._result(name, deadline) for name in self._probes}
        return Report(all(part["ok"] for part in parts.values()), parts)

    def _result(self, name: str, deadline: float) -> Part:
        future = self._running[name]
        try:
            figures = future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            if not future.done():
                return {"ok": False, "error": "does not answer in time"}
            figures = {}
        except PartDown as down:
            del self._running[name]
            return {"ok": False, "error": down.error, **down.figures}
        except redis.RedisError:
            del self._running[name]
            return {"ok": False, "error": "its Redis does not answer"}
        except Exception as error:
            del self._running[name]
            return {"ok": False, "error": type(error).__name__}
        self._running.pop(name, None)
        return {"ok": True, **figures}


prober: Final = Prober(PROBES)


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    report = prober.report()
    body = {"status": "ok" if report.ok else "failing", **report.parts}
    return JsonResponse(body, status=200 if report.ok else 503)
