"""The operators' commands: verify_journal, time_travel, export_audit, final_snapshot."""

import json
import zlib
from datetime import timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.commands import CancelOrder, OrderTerms, PlaceOrder
from engine.core.digest import GENESIS, roll
from engine.core.engine import CORE_VERSION
from engine.core.snapshot import state_hash
from engine.core.tests.exchange import LATE
from engine.core.types import BUY, GTC, LIMIT
from engine.journal import JOURNAL_KEY, EncodedEntry, read_all_after, tail_sequence
from engine.models import JournalEntry, Snapshot
from engine.snapshots.tests.scene import Scene, state_of
from engine.snapshots.time_travel import replica_at
from engine.tests.journals import append
from engine.times import to_datetime
from engine.wire import LEASE_KEY
from engine.worker.loader import JournalBehind
from engine.worker.recovery import JournalBroken, Replica


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def old(scene: Scene) -> Scene:
    """Three snapshots, an archive, a trimmed stream, and entries that only the stream has."""
    for _ in range(3):
        scene.trade(12)
        scene.snapshot()
    scene.archive_and_trim()
    scene.trade(6)
    return scene


def whole(scene: Scene) -> list[EncodedEntry]:
    entries = [*scene.records.read_archive_after(0)]
    return [*entries, *scene.stream.read_after(entries[-1].sequence)]


def direct(scene: Scene, sequence: int) -> Replica:
    """Every command from the first on."""
    replica = Replica()
    replica.follow(whole(scene)[:sequence])
    return replica


def alter_archive(at: int, **columns: Any) -> None:
    """The trigger that protects the archive has to be lifted for that."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE engine_journalentry DISABLE TRIGGER USER")
        JournalEntry.objects.filter(sequence=at).update(**columns)
        cursor.execute("ALTER TABLE engine_journalentry ENABLE TRIGGER USER")


def test_an_untouched_journal_is_verified(old: Scene) -> None:
    verified = json.loads(run("verify_journal"))
    tail = tail_sequence(old.journal)
    assert verified["ok"] is True
    assert (verified["entries"], verified["snapshots"]) == (tail, 3)
    assert verified["replayed_from"] == Snapshot.objects.earliest("sequence").sequence
    assert verified["state_hash"] == state_hash(old.worker._replica.engine)
    assert verified["digest"] == old.worker._replica.digest
    assert json.loads(run("verify_journal", "--from-start"))["replayed_from"] == 0


def test_an_empty_journal_is_verified(engine_redis: Any, shared_redis: Any, db: None) -> None:
    assert json.loads(run("verify_journal"))["entries"] == 0


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["commands", "events"])
def test_a_flipped_byte_in_the_archive_is_found(old: Scene, name: str, where: float) -> None:
    row = JournalEntry.objects.get(sequence=20)
    data = bytearray(getattr(row, name))
    data[int(len(data) * where)] ^= 4
    alter_archive(20, **{name: bytes(data)})
    with pytest.raises(CommandError, match="entry 20"):
        run("verify_journal", "--from-start")


@pytest.mark.parametrize("name", ["commands", "events"])
def test_a_byte_changed_before_compression_is_found(old: Scene, name: str) -> None:
    [at, *_] = [e.sequence for e in whole(old)[15:] if b"depth_changed" in e.events]
    text = zlib.decompress(bytes(getattr(JournalEntry.objects.get(sequence=at), name)))
    alter_archive(at, **{name: zlib.compress(text.replace(b"ABCUSD", b"ABCUSE"))})
    with pytest.raises(CommandError, match=f"entry {at}"):
        run("verify_journal", "--from-start")


def test_a_changed_digest_is_found(old: Scene) -> None:
    alter_archive(20, digest=GENESIS)
    with pytest.raises(CommandError, match="entry 20 does not have the digest"):
        run("verify_journal")


def test_a_missing_entry_is_found(old: Scene) -> None:
    alter_archive(20, sequence=10**9)
    with pytest.raises(CommandError, match="entry"):
        run("verify_journal")


def altered_stream(scene: Scene, **fields: Any) -> None:
    """The last entry but one is another."""
    entries = list(read_all_after(scene.journal, 0))
    entries[-2] = msgspec.structs.replace(entries[-2], **fields)
    scene.journal.delete(JOURNAL_KEY)
    append(scene.journal, entries)


def last_but_one(scene: Scene) -> EncodedEntry:
    return list(read_all_after(scene.journal, 0))[-2]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_in_an_event_is_found(scene: Scene, position: float, bit: int) -> None:
    if tail_sequence(scene.journal) == 1:
        scene.trade(4)
    entry = last_but_one(scene)
    data = bytearray(entry.events)
    data[int(len(data) * position)] ^= 1 << bit
    altered_stream(scene, events=bytes(data))
    try:
        with pytest.raises(CommandError, match=f"entry {entry.sequence} does not have the digest"):
            run("verify_journal")
    finally:
        altered_stream(scene, events=entry.events)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"buy", b"bux"),
        (b"buy", b"sell"),
        (b"ABCUSD", b"ABCUSE"),
        (b"90,1,", b"90,2,"),
        (b"[", b"{"),
    ],
)
def test_an_altered_command_is_found(scene: Scene, before: bytes, after: bytes) -> None:
    """The digest is over events: what a command does is checked by doing it again."""
    terms = OrderTerms(1, "ABCUSD", BUY, LIMIT, GTC, 90, 1)
    scene.do(PlaceOrder(terms, LATE), CancelOrder(1, "ABCUSD", order_id=1))
    scene.trade(1)
    entry = last_but_one(scene)
    assert before in entry.commands
    altered_stream(scene, commands=entry.commands.replace(before, after))
    with pytest.raises(CommandError, match=f"entry {entry.sequence}"):
        run("verify_journal")


def test_the_archive_and_the_stream_must_agree(scene: Scene) -> None:
    scene.trade(5)
    scene.project()
    altered_stream(scene, epoch=9)
    with pytest.raises(CommandError, match="is not the stream's"):
        run("verify_journal")


def test_a_damaged_snapshot_is_found(old: Scene) -> None:
    Snapshot.objects.filter(id=Snapshot.objects.latest("id").id).update(sha256=GENESIS)
    with pytest.raises(CommandError, match="checksum"):
        run("verify_journal")


def test_time_travel_equals_a_direct_replay(old: Scene) -> None:
    for sequence in range(1, tail_sequence(old.journal) + 1):
        found = replica_at(old.stream, old.records, sequence=sequence)
        expected = direct(old, sequence)
        assert state_of(found) == state_of(expected)
        assert found.digest == expected.digest


def test_time_travel_to_a_time(old: Scene) -> None:
    """Whatever has that time or an earlier one has happened."""
    entries = whole(old)
    for entry in entries[::7]:
        at = to_datetime(entry.time)
        last = max(e.sequence for e in entries if e.time <= entry.time)
        printed = json.loads(run("time_travel", "--at", at.isoformat()))
        assert printed["sequence"] == last
        earlier = json.loads(
            run("time_travel", "--at", (at - timedelta(milliseconds=1)).isoformat())
        )
        assert earlier["sequence"] < entry.sequence


def test_time_travel_prints_book_balances_and_orders(old: Scene) -> None:
    tail = tail_sequence(old.journal)
    printed = json.loads(run("time_travel", "--at", str(tail)))
    engine = old.worker._replica.engine
    assert printed["state_hash"] == state_hash(engine)
    [market] = engine.markets
    bids = [[str(level.price), str(level.quantity)] for level in market.book.bids]
    assert printed["markets"]["ABCUSD"]["bids"] == bids
    assert {order["order_id"] for order in printed["open_orders"]} == {
        order.order_id for order in market.book.orders()
    }
    account = engine.accounts.get(1)
    assert account is not None
    assert printed["balances"]["1"]["USD"]["available"] == str(account.available("USD"))


@pytest.mark.parametrize("moment", ["yesterday", "-1", "99999999", "٣"])
def test_time_travel_to_nowhere(scene: Scene, moment: str) -> None:
    with pytest.raises(CommandError):
        run("time_travel", f"--at={moment}")


def test_the_audit_export_can_be_checked_by_anybody(old: Scene) -> None:
    lines = [json.loads(line) for line in run("export_audit").splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    digest = GENESIS
    for raw, line in zip(run("export_audit").splitlines(), lines, strict=True):
        commands = raw[raw.index('"commands":') + len('"commands":') : raw.index(',"events":')]
        events = raw[raw.index('"events":') + len('"events":') : raw.rindex(',"digest"')]
        digest = roll(digest, commands.encode(), events.encode())
        assert digest == line["digest"]
    part = run("export_audit", "--from", "5", "--to", "9").splitlines()
    assert [json.loads(line) for line in part] == lines[4:9]


def test_an_export_of_what_is_not_there(old: Scene) -> None:
    with pytest.raises(CommandError, match="does not reach"):
        run("export_audit", "--from", "1000")


def test_the_final_snapshot_stands_at_the_tail(scene: Scene) -> None:
    scene.trade(5)
    scene.snapshot()
    scene.trade(3)
    scene.journal.delete(LEASE_KEY)
    tail = tail_sequence(scene.journal)
    assert json.loads(run("final_snapshot")) == {"sequence": tail, "core": CORE_VERSION}
    assert Snapshot.objects.latest("id").sequence == tail
    assert not scene.journal.exists(LEASE_KEY)
    assert json.loads(run("final_snapshot"))["sequence"] == tail, "once more does no harm"
    assert Snapshot.objects.count() == 2
    scene.worker = scene.new_worker()
    scene.trade(1)


def test_no_final_snapshot_while_an_engine_leads(scene: Scene) -> None:
    with pytest.raises(CommandError, match="stop it first"):
        run("final_snapshot")
    assert not Snapshot.objects.exists()


def test_an_upgrade(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop, final snapshot, start: in that order, or the new version says so."""
    scene.trade(8)
    scene.snapshot()
    scene.trade(3)
    before = scene.state()
    modules = ("engine.worker.recovery", "engine.worker.loader", "engine.worker.batch")

    def install(version: int) -> None:
        for module in (*modules, "engine.snapshots.codec"):
            monkeypatch.setattr(f"{module}.CORE_VERSION", version)

    install(CORE_VERSION + 1)
    with pytest.raises(JournalBroken, match="final_snapshot"):
        scene.new_worker()
    install(CORE_VERSION)
    scene.journal.delete(LEASE_KEY)
    run("final_snapshot")
    install(CORE_VERSION + 1)
    scene.worker = scene.new_worker()
    assert scene.state() == before
    scene.trade(4)
    scene.snapshot()
    assert Snapshot.objects.latest("id").core == CORE_VERSION + 1
    install(CORE_VERSION)
    with pytest.raises(JournalBroken, match="core version"):
        scene.new_worker()


@pytest.mark.parametrize("left", ["nothing", "an older state"])
def test_a_lost_journal_is_made_anew_from_the_archive(scene: Scene, left: str) -> None:
    """What only the stream had is lost; whoever has seen it forgets it, the engine goes on."""
    scene.trade(5)
    for _ in range(3):
        scene.worker = scene.new_worker()
    scene.trade(5)
    scene.project()
    archived = tail_sequence(scene.journal)
    expected = state_of(direct(scene, archived))
    epoch = scene.worker._epoch
    older = list(read_all_after(scene.journal, 0))[:5]
    scene.trade(3)
    scene.snapshot()
    scene.publish_until(tail_sequence(scene.journal))
    scene.journal.flushall()
    if left == "an older state":
        append(scene.journal, older)
    with pytest.raises(JournalBehind, match=r"docs/FAILURES\.md"):
        scene.new_worker()
    with pytest.raises(CommandError, match="--accept-loss"):
        run("restore_journal")
    restored = json.loads(run("restore_journal", "--accept-loss"))
    assert restored["sequence"] == archived
    scene.worker = scene.new_worker()
    assert scene.state() == expected
    assert scene.worker._epoch > epoch
    scene.trade(2)
    with pytest.raises(CommandError, match="stop it first"):
        run("restore_journal", "--accept-loss")


@pytest.mark.parametrize("witness", ["a snapshot", "the publisher"])
def test_whoever_has_seen_more_than_is_left_forgets_it(scene: Scene, witness: str) -> None:
    """A replica took over that lacked what even the archive did not have yet."""
    scene.trade(5)
    scene.project()
    entries = list(read_all_after(scene.journal, 0))
    left = len(entries)
    expected = scene.state()
    scene.trade(2)
    if witness == "a snapshot":
        scene.snapshot()
    else:
        scene.publish_until(left + 2)
    scene.journal.flushall()
    append(scene.journal, entries)
    with pytest.raises(JournalBehind, match="the snapshot" if witness == "a snapshot" else witness):
        scene.new_worker()
    restored = json.loads(run("restore_journal", "--accept-loss"))
    assert (restored["sequence"], restored["entries"]) == (left, 0)
    scene.worker = scene.new_worker()
    assert scene.worker._epoch > entries[-1].epoch
    assert scene.state() == expected
    scene.trade(1)


def test_the_publisher_forgets_on_demand(scene: Scene) -> None:
    scene.trade(2)
    scene.publish_until(tail_sequence(scene.journal) + 7)
    with pytest.raises(JournalBehind, match="the publisher"):
        scene.new_worker()
    assert json.loads(run("forget_feeds")) == {"forgotten": tail_sequence(scene.journal) + 7}
    scene.worker = scene.new_worker()


def test_only_what_is_the_archives_is_completed_from_it(scene: Scene) -> None:
    scene.trade(10)
    scene.project()
    entries = list(read_all_after(scene.journal, 0))[:5]
    scene.journal.flushall()
    with_another_end = [*entries[:-1], msgspec.structs.replace(entries[-1], digest=GENESIS)]
    append(scene.journal, with_another_end)
    with pytest.raises(CommandError, match="is not the archive's"):
        run("restore_journal", "--accept-loss")
    assert tail_sequence(scene.journal) == 5
    scene.journal.delete(JOURNAL_KEY)
    append(scene.journal, list(scene.records.read_archive_after(0)))
    with pytest.raises(CommandError, match="nothing to restore"):
        run("restore_journal", "--accept-loss")
