"""An engine starts from the newest good snapshot, the archive and the stream; or not at all."""

import logging
from collections.abc import Callable

import msgspec
import pytest
from django.db.models import F

from engine.connections import connect
from engine.core.digest import GENESIS
from engine.core.engine import CORE_VERSION
from engine.journal import JOURNAL_KEY, read_all_after, tail_sequence
from engine.models import JournalEntry, ProjectorPosition, Snapshot, SnapshotPiece
from engine.publisher import keys
from engine.snapshots.records import DatabaseRecords
from engine.snapshots.tests.scene import Scene
from engine.wire import REPLY_CHANNEL
from engine.worker.loader import JournalBehind
from engine.worker.recovery import JournalBroken, JournalGap, Replica

Damage = Callable[[Snapshot], None]


def piece(row: Snapshot) -> SnapshotPiece:
    return SnapshotPiece.objects.get(snapshot=row, number=0)


def flip(position: float) -> Damage:
    """One bit of the compressed bytes; `position` from 0 to 1."""

    def damage(row: Snapshot) -> None:
        data = bytearray(piece(row).data)
        data[int(position * (len(data) - 1))] ^= 1
        SnapshotPiece.objects.filter(snapshot=row).update(data=bytes(data))

    return damage


def column(name: str, value: object) -> Damage:
    def damage(row: Snapshot) -> None:
        Snapshot.objects.filter(id=row.id).update(**{name: value})

    return damage


def cut_off(row: Snapshot) -> None:
    data = bytes(piece(row).data)
    SnapshotPiece.objects.filter(snapshot=row).update(data=data[:-1])


def lose_piece(row: Snapshot) -> None:
    SnapshotPiece.objects.filter(snapshot=row).delete()


def double_piece(row: Snapshot) -> None:
    SnapshotPiece.objects.create(snapshot=row, number=1, data=bytes(piece(row).data))


def test_from_snapshot_and_stream(scene: Scene) -> None:
    scene.trade(20)
    at = scene.snapshot()
    scene.trade(10)
    before = scene.state()
    replica = scene.load()
    assert replica.sequence == at
    scene.worker = scene.new_worker()
    assert scene.state() == before
    scene.trade(5)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(flip(0), id="first byte"),
        pytest.param(flip(0.01), id="header"),
        pytest.param(flip(0.3), id="feeds"),
        pytest.param(flip(0.6), id="body"),
        pytest.param(flip(1), id="last byte"),
        pytest.param(column("sequence", F("sequence") + 1), id="sequence"),
        pytest.param(column("time", "2025-01-01T00:00:00Z"), id="time"),
        pytest.param(column("epoch", 77), id="epoch"),
        pytest.param(column("core", 77), id="core"),
        pytest.param(column("format", 77), id="format"),
        pytest.param(column("digest", GENESIS), id="digest"),
        pytest.param(column("state_hash", GENESIS), id="state hash"),
        pytest.param(column("sha256", GENESIS), id="sha256"),
        pytest.param(cut_off, id="cut off"),
        pytest.param(lose_piece, id="a piece missing"),
        pytest.param(double_piece, id="a piece too many"),
    ],
)
def test_a_damaged_snapshot_is_left_for_an_older_one(
    scene: Scene, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream does not reach back to the older one: the archive does."""
    scene.trade(15)
    older = scene.snapshot()
    scene.trade(15)
    scene.archive_and_trim()
    scene.trade(3)
    before = scene.state()
    damage(Snapshot.objects.latest("id"))
    with caplog.at_level(logging.INFO):
        scene.worker = scene.new_worker()
    assert "cannot be used" in caplog.text
    assert f"restored the snapshot of entry {older}" in caplog.text
    assert scene.state() == before


@pytest.mark.parametrize("removed", [1, 2, 3])
def test_the_newest_are_removed(scene: Scene, removed: int) -> None:
    for _ in range(3):
        scene.trade(8)
        scene.snapshot()
    scene.archive_and_trim()
    scene.trade(2)
    before = scene.state()
    newest = Snapshot.objects.order_by("-id").values_list("id", flat=True)[:removed]
    Snapshot.objects.filter(id__in=list(newest)).delete()
    scene.worker = scene.new_worker()
    assert scene.state() == before


def test_the_reply_to_the_last_entry_is_in_the_snapshot(scene: Scene) -> None:
    """Its author may have died between the commit and the replies."""
    scene.trade(3)
    scene.snapshot()
    subscription = scene.journal.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(REPLY_CHANNEL + "test")
    scene.worker = scene.new_worker()
    assert scene.worker._replica.commands == 0, "nothing was replayed"
    expected = Replica()
    expected.follow(read_all_after(scene.journal, 0))
    assert scene.worker._replica.last_replies() == expected.last_replies()
    assert expected.last_replies()


def test_a_gap_that_nothing_fills_halts(scene: Scene) -> None:
    scene.trade(5)
    scene.snapshot()
    scene.trade(10)
    tail = tail_sequence(scene.journal)
    scene.journal.xtrim(JOURNAL_KEY, minid=f"{tail - 2}-0", approximate=False)
    with pytest.raises(JournalGap, match="neither the stream nor the archive"):
        scene.new_worker()


def test_a_gap_within_the_stream_halts(scene: Scene) -> None:
    scene.trade(5)
    at = scene.snapshot()
    scene.trade(10)
    scene.journal.xdel(JOURNAL_KEY, f"{at + 4}-0")
    with pytest.raises(JournalGap):
        scene.new_worker()


def lose_the_end(scene: Scene, entries: int) -> None:
    tail = tail_sequence(scene.journal)
    for sequence in range(tail - entries + 1, tail + 1):
        scene.journal.xdel(JOURNAL_KEY, f"{sequence}-0")


@pytest.mark.parametrize(
    ("see", "name"),
    [
        (lambda scene: scene.snapshot(), "the snapshot of entry"),
        (lambda scene: scene.project(), "the archive"),
        (lambda scene: scene.publish_until(tail_sequence(scene.journal)), "the publisher"),
    ],
)
def test_a_journal_that_lost_its_end_halts(
    scene: Scene, see: Callable[[Scene], object], name: str
) -> None:
    scene.trade(10)
    see(scene)
    lose_the_end(scene, 2)
    with pytest.raises(JournalBehind, match=name):
        scene.new_worker()


def test_an_empty_journal_where_there_was_one_halts(scene: Scene) -> None:
    scene.trade(10)
    scene.snapshot()
    scene.journal.flushall()
    with pytest.raises(JournalBehind, match=r"docs/FAILURES\.md"):
        scene.new_worker()


def test_the_journal_of_another_exchange_halts(scene: Scene) -> None:
    scene.trade(10)
    scene.project()
    ProjectorPosition.objects.update(digest=GENESIS)
    with pytest.raises(JournalBroken, match="two exchanges"):
        scene.new_worker()


def test_an_archive_with_a_hole_halts(scene: Scene) -> None:
    scene.trade(10)
    scene.archive_and_trim()
    kept = [
        msgspec.structs.replace(entry)
        for entry in scene.records.read_archive_after(0)
        if entry.sequence != 4
    ]
    Snapshot.objects.all().delete()
    assert JournalEntry.objects.count() > len(kept)
    scene.records.read_archive_after = lambda sequence: iter(  # type: ignore[method-assign]
        [entry for entry in kept if entry.sequence > sequence]
    )
    with pytest.raises(JournalGap):
        scene.load()


def test_an_older_core_is_gone_on_from_where_nothing_of_it_follows(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade: stop, final snapshot under the old version, start the new one."""
    scene.trade(5)
    scene.snapshot()
    before = scene.state()
    for module in ("engine.worker.recovery", "engine.worker.loader", "engine.worker.batch"):
        monkeypatch.setattr(f"{module}.CORE_VERSION", CORE_VERSION + 1)
    scene.worker = scene.new_worker()
    assert scene.state() == before
    scene.trade(3)
    assert [entry.core for entry in read_all_after(scene.journal, 0)][-3:] == [CORE_VERSION + 1] * 3
    scene.worker = scene.new_worker()
    scene.trade(1)
    assert scene.load().sequence


def test_an_older_core_without_its_final_snapshot_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.trade(5)
    scene.snapshot()
    scene.trade(1)
    for module in ("engine.worker.recovery", "engine.worker.loader"):
        monkeypatch.setattr(f"{module}.CORE_VERSION", CORE_VERSION + 1)
    with pytest.raises(JournalBroken, match="final_snapshot"):
        scene.new_worker()


def test_an_unreachable_publisher_is_no_reason_not_to_start(scene: Scene) -> None:
    scene.trade(2)
    scene.records = DatabaseRecords(connect("unix:///nowhere/valkey.sock"))
    scene.worker = scene.new_worker()


def test_a_publisher_that_will_begin_anew_is_no_witness(scene: Scene) -> None:
    """Its state is of another format."""
    scene.trade(2)
    scene.shared.set(keys.STATE, "{}")
    scene.worker = scene.new_worker()
