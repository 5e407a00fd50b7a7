"""Whoever takes the lease asks the witnesses once more, and waits for none of them for long."""

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import DatabaseError
from django.db.models import F

from engine.core.digest import GENESIS
from engine.journal import tail_sequence
from engine.models import Snapshot
from engine.publisher import keys
from engine.snapshots.takeover import check_at_takeover
from engine.snapshots.tests.scene import Scene
from engine.snapshots.tests.test_recovery import lose_the_end
from engine.wire import LEASE_KEY
from engine.worker.loader import JournalBehind, check_witnesses
from engine.worker.ports import Witness
from engine.worker.recovery import JournalBroken
from engine.worker.redis_store import RedisStore
from engine.worker.worker import Worker

PATIENCE_S = 30.0
"""More than anything takes that answers at all."""


def new_standby(scene: Scene) -> Worker:
    """It has followed to the end."""
    check = partial(check_witnesses, scene.stream, scene.records)
    worker = Worker(RedisStore(scene.journal, 60_000), scene.clock, scene.load, check=check)
    worker.stand_by()
    return worker


def lead(scene: Scene, standby: Worker) -> None:
    """The leader dies."""
    scene.journal.delete(LEASE_KEY)
    assert standby.lead()
    standby.recover()


@pytest.mark.parametrize(
    ("see", "name"),
    [
        (lambda scene: scene.snapshot(), "the snapshot of entry"),
        (lambda scene: scene.project(), "the archive"),
        (lambda scene: scene.publish_until(tail_sequence(scene.journal)), "the publisher"),
    ],
)
def test_a_journal_that_lost_its_end_meanwhile_halts(
    scene: Scene, see: Callable[[Scene], object], name: str
) -> None:
    """The standby knows nothing of what is missing: it had not come that far."""
    standby = new_standby(scene)
    scene.trade(4)
    see(scene)
    lose_the_end(scene, 2)
    left = tail_sequence(scene.journal)
    with pytest.raises(JournalBehind, match=name):
        lead(scene, standby)
    assert tail_sequence(scene.journal) == left


def test_what_is_whole_is_led_on(scene: Scene) -> None:
    standby = new_standby(scene)
    scene.trade(4)
    scene.archive_and_trim()
    scene.trade(2)
    before = scene.state()
    lead(scene, standby)
    scene.worker = standby
    assert scene.state() == before
    scene.trade(2)


@pytest.mark.parametrize(
    "columns", [{"sequence": F("sequence") + 1}, {"digest": GENESIS}, {"state_hash": GENESIS}]
)
def test_a_snapshot_with_damaged_columns_is_no_witness(
    scene: Scene, columns: dict[str, object]
) -> None:
    scene.trade(4)
    older = scene.snapshot()
    scene.trade(2)
    scene.snapshot()
    newest = Snapshot.objects.latest("id")
    Snapshot.objects.filter(id=newest.id).update(**columns)
    [*_, witness] = scene.records.witnesses()
    assert witness.sequence == older
    lead(scene, new_standby(scene))


def test_another_exchanges_publisher_halts(scene: Scene) -> None:
    scene.trade(4)
    state = b'[3,0,0,{},{},"another"]'
    scene.shared.set(keys.STATE, state)
    with pytest.raises(JournalBroken, match="two exchanges"):
        check_witnesses(scene.stream, scene.records)


def ahead(scene: Scene) -> Witness:
    return Witness("somebody", tail_sequence(scene.journal) + 1)


def test_whoever_answered_before_the_database_failed_is_heard(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def testify() -> Iterator[Witness]:
        yield from seen
        raise DatabaseError("down")

    seen: list[Witness] = []
    with caplog.at_level(logging.WARNING):
        check_at_takeover(scene.stream, testify, patience_s=PATIENCE_S)
    assert "bears no witness" in caplog.text
    seen.append(ahead(scene))
    with pytest.raises(JournalBehind, match="somebody"):
        check_at_takeover(scene.stream, testify, patience_s=PATIENCE_S)


def test_a_database_that_hangs_is_not_waited_for(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()
    too_late = ahead(scene)

    def testify() -> Iterator[Witness]:
        gate.wait()
        yield too_late

    try:
        with caplog.at_level(logging.WARNING):
            check_at_takeover(scene.stream, testify, patience_s=0.01)
    finally:
        gate.set()
    assert "do not answer" in caplog.text
