"""The follower takes snapshots beside the engine and trims its journal, never too far."""

import logging
from functools import partial
from typing import Any

import pytest
import redis
from django.db.models import F
from django.test import override_settings

from engine import tasks
from engine.core.digest import GENESIS
from engine.core.engine import CORE_VERSION
from engine.journal import JOURNAL_KEY, read_all_after, tail_sequence
from engine.models import Snapshot, SnapshotPiece
from engine.publisher import keys
from engine.publisher.feeds import Feeds
from engine.publisher.record import Trading, record_feeds, restore_feeds
from engine.snapshots import codec
from engine.snapshots.codec import OpenSnapshot
from engine.snapshots.follower import Policy
from engine.snapshots.store import list_snapshots, load_packed
from engine.snapshots.tests.scene import Scene, state_of
from engine.snapshots.trimming import rewrite_log
from engine.tests.journals import append
from engine.worker.recovery import JournalBroken
from exchange_site.tests.processes import wait_until


def first_sequence(scene: Scene) -> int:
    return next(read_all_after(scene.journal, 0)).sequence


def test_a_snapshot_is_the_state(scene: Scene) -> None:
    scene.trade(20)
    scene.snapshot()
    row = Snapshot.objects.get()
    opened = OpenSnapshot(load_packed(row)).replica()
    assert state_of(opened) == scene.state()
    assert (row.sequence, row.digest) == (opened.sequence, opened.digest)
    assert (row.core, row.epoch) == (CORE_VERSION, 1)
    assert row.size == sum(len(piece.data) for piece in SnapshotPiece.objects.all())


def test_a_large_one_is_stored_in_pieces(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "PIECE_BYTES", 100)
    scene.trade(20)
    scene.snapshot()
    assert SnapshotPiece.objects.count() > 5
    assert state_of(scene.load()) == scene.state()


def test_it_goes_on_from_its_own_snapshot(scene: Scene) -> None:
    scene.trade(10)
    at = scene.archive_and_trim()
    scene.trade(5)
    follower = scene.follower()
    assert (follower.replica.sequence, follower.verified) == (at, at)
    assert follower.follow(seconds=60) == 5
    assert state_of(follower.replica) == scene.state()


def test_snapshots_by_number_of_commands(scene: Scene) -> None:
    policy = Policy(every_s=3600, every_commands=20, keep=100, keep_days=0)
    follower = scene.follower(policy)
    scene.trade(30)
    follower.follow(seconds=60)
    commands = sum(len(e.decode_commands()) for e in read_all_after(scene.journal, 0))
    assert commands // 24 <= Snapshot.objects.count() <= commands // 20


def test_snapshots_by_time(scene: Scene) -> None:
    follower = scene.follower(Policy(every_s=0, every_commands=10**9, keep=3, keep_days=0))
    follower.follow(seconds=60)
    follower.follow(seconds=60)
    assert Snapshot.objects.count() == 1, "nothing new"
    scene.trade(1)
    follower.follow(seconds=60)
    assert Snapshot.objects.count() == 2


def test_some_are_kept(scene: Scene) -> None:
    """The newest three, and the last one of each of the newest two days."""
    follower = scene.follower(Policy(every_s=3600, every_commands=10**9, keep=3, keep_days=2))
    taken: list[int] = []
    for day in range(4):
        scene.clock.now += 86_400_000
        for _ in range(2 if day < 3 else 4):
            scene.trade(1)
            follower.follow(seconds=60)
            follower.take_snapshot()
            taken.append(follower.verified)
    assert [row.sequence for row in list_snapshots()] == [*taken[:-4:-1], taken[5]]


@pytest.mark.parametrize(
    "damage",
    [{"sha256": GENESIS}, {"digest": GENESIS}, {"sequence": F("sequence") + 1}, {"format": 77}],
)
def test_damaged_ones_are_kept_beside_three_that_are_whole(
    scene: Scene, damage: dict[str, object]
) -> None:
    for _ in range(3):
        scene.trade(1)
        scene.snapshot()
    rows = list_snapshots()
    Snapshot.objects.filter(id__in=[row.id for row in rows[:2]]).update(**damage)
    whole = {rows[2].id}
    for kept in (4, 4, 3):
        scene.trade(1)
        scene.snapshot()
        whole.add(Snapshot.objects.latest("id").id)
        left = {row.id for row in list_snapshots()}
        assert len(left) == kept
        assert len(left & whole) >= min(3, len(whole))


def test_only_what_nobody_needs_is_trimmed(scene: Scene) -> None:
    scene.trade(20)
    at = scene.snapshot()
    assert scene.trim(snapshot=at) == 0, "neither archived nor published"
    scene.project()
    assert scene.trim(snapshot=at) == 0, "not published"
    scene.publish_until(9)
    assert scene.trim(snapshot=7) == 7
    assert first_sequence(scene) == 8
    assert scene.trim(snapshot=at) == 2
    scene.publish_until(at)
    assert scene.trim(snapshot=at, keep=5) == at - 9 - 5
    assert first_sequence(scene) == at - 4
    scene.trade(1)


def test_a_publisher_without_a_position_keeps_the_journal(scene: Scene) -> None:
    scene.trade(20)
    scene.archive_and_trim()
    scene.trade(20)
    at = scene.snapshot()
    scene.project()
    scene.shared.delete(keys.STATE)
    assert scene.trim(snapshot=at) == 0


def test_a_trimmed_journal_still_takes_entries(scene: Scene) -> None:
    scene.trade(5)
    at = scene.archive_and_trim()
    assert scene.journal.xlen(JOURNAL_KEY) == 1
    scene.trade(5)
    assert tail_sequence(scene.journal) == at + 5


def test_the_log_is_written_anew_where_most_of_it_is_needless(scene: Scene) -> None:
    scene.trade(5)
    scene.archive_and_trim()
    assert not rewrite_log(scene.journal, above_bytes=2**40), "it is short"
    scene.journal.set("kept", "x" * sum(log_and_memory(scene.journal)))
    assert not rewrite_log(scene.journal, above_bytes=0), "most of it is in memory"
    scene.journal.delete("kept")
    make_mostly_needless(scene.journal)
    assert rewrite_log(scene.journal, above_bytes=0)
    wait_until(lambda: not is_rewriting(scene.journal), "the log is written")
    assert not is_mostly_needless(scene.journal)


def log_and_memory(journal: "redis.Redis") -> tuple[int, int]:
    """Bytes."""
    told = journal.info("persistence")
    return told["aof_current_size"], journal.info("memory")["used_memory"]


def make_mostly_needless(journal: "redis.Redis") -> None:
    log, memory = log_and_memory(journal)
    while log < 10 * memory:
        journal.set("gone", "x" * 1_000_000)
        journal.delete("gone")
        log, memory = log_and_memory(journal)


def is_mostly_needless(journal: "redis.Redis") -> bool:
    log, memory = log_and_memory(journal)
    return log > memory


def is_rewriting(journal: "redis.Redis") -> bool:
    told = journal.info("persistence")
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


def test_an_altered_journal_is_not_followed(scene: Scene) -> None:
    scene.trade(3)
    follower = scene.follower()
    entries = list(read_all_after(scene.journal, 0))
    scene.journal.delete(JOURNAL_KEY)
    append(scene.journal, entries[:-1])
    entry = entries[-1]
    altered: dict[Any, Any] = entry.fields() | {"events": entry.events + b" "}
    scene.journal.xadd(JOURNAL_KEY, altered, id=f"{entry.sequence}-0")
    with pytest.raises(JournalBroken, match="does not replay"):
        follower.follow(seconds=60)


def test_its_feeds_are_the_publishers(scene: Scene) -> None:
    """Books, counters, candles and statistics as a publisher has them that saw every entry."""
    trading, follower = Trading(), scene.follower()
    feeds = Feeds()
    for round_number in range(6):
        scene.trade(15)
        for entry in read_all_after(scene.journal, feeds.state.sequence):
            feeds.apply(entry, tell=False)
        follower.follow(seconds=60)
        replica = follower.replica
        record = record_feeds(replica.engine, follower._trading, replica.sequence, replica.digest)
        feeds.pass_time(scene.clock.now)
        feeds.tell_nothing()
        restored = restore_feeds(record)
        restored.pass_time(scene.clock.now)
        restored.tell_nothing()
        assert restored.state == feeds.state
        for symbol, market in feeds.markets.items():
            other = restored.markets[symbol]
            assert other.state() == market.state()
            assert other.window.statistics() == market.window.statistics()
            assert other.bids.quantities == market.bids.quantities
            assert other.asks.quantities == market.asks.quantities
        if round_number % 2:
            follower._trading = Trading(codec._decode_feeds(codec._encode(record)))
    assert trading.of("X")[1].statistics().trades == 0


@override_settings(SNAPSHOT_EVERY_S=0.0, JOURNAL_KEEP_ENTRIES=2)
def test_the_task_does_all_of_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks, "_following", None)
    scene.trade(10)
    at = tail_sequence(scene.journal)
    scene.project()
    scene.publish_until(at)
    with caplog.at_level(logging.INFO):
        assert tasks.follow_journal() == at
    assert first_sequence(scene) == at - 1
    scene.trade(4)
    assert tasks.follow_journal() == 4, "from where its replica stands"
    assert caplog.text.count("snapshot of entry") == 2
    following = tasks._following
    assert following is not None
    following.close()


@override_settings(SNAPSHOT_EVERY_S=0.0, JOURNAL_KEEP_ENTRIES=2)
def test_the_task_has_the_log_written_anew_where_it_trimmed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_following", None)
    monkeypatch.setattr(tasks, "rewrite_log", partial(rewrite_log, above_bytes=0))
    scene.trade(10)
    make_mostly_needless(scene.journal)
    tasks.follow_journal()
    assert not is_rewriting(scene.journal), "nothing was trimmed"
    assert is_mostly_needless(scene.journal)
    scene.project()
    scene.publish_until(tail_sequence(scene.journal))
    tasks.follow_journal()
    wait_until(lambda: not is_rewriting(scene.journal), "the log is written")
    assert not is_mostly_needless(scene.journal)
    following = tasks._following
    assert following is not None
    following.close()
