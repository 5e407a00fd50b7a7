"""Snapshots in PostgreSQL: stored whole or not at all, in pieces of some megabytes."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import islice

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import TruncDate
from django.utils import timezone

from engine.models import Snapshot, SnapshotPiece
from engine.projector.positions import lock_key
from engine.snapshots.codec import Header, Packed, attests, is_whole
from engine.times import to_datetime, to_milliseconds
from engine.worker.ports import KeptSnapshot

LOCK = "snapshots"


class SnapshotsBusy(Exception):
    """Another process stores a snapshot: one is enough."""


class DatabaseShelf:
    """The real `Shelf`."""

    def age_s(self) -> float:
        newest = list_snapshots()[:1]
        return (timezone.now() - newest[0].created_at).total_seconds() if newest else 0.0

    def put(self, packed: Packed, *, keep: int, keep_days: int) -> KeptSnapshot:
        return kept_snapshot(store_snapshot(packed, keep=keep, keep_days=keep_days))


def store_snapshot(packed: Packed, *, keep: int, keep_days: int) -> Snapshot:
    """Store it, and remove what is superseded, in one transaction. Raises SnapshotsBusy."""
    header = packed.header
    with transaction.atomic():
        _lock()
        row = Snapshot.objects.create(
            sequence=header.sequence,
            time=to_datetime(header.time),
            epoch=header.epoch,
            core=header.core,
            format=header.format,
            digest=header.digest,
            state_hash=header.state_hash,
            sha256=packed.sha256,
            size=packed.size,
        )
        for number, data in enumerate(packed.pieces):
            SnapshotPiece.objects.create(snapshot=row, number=number, data=data)
        _prune(keep=keep, keep_days=keep_days)
    return row


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", lock_key(LOCK))
        if not cursor.fetchone()[0]:
            raise SnapshotsBusy


def _prune(*, keep: int, keep_days: int) -> None:
    """Keep the newest ones, so many more of those that are whole that these are `keep` too, and the
    last one of each of the newest days that have any."""
    rows = list_snapshots()
    newest = (row.id for row in rows[:keep])
    whole = (row.id for row in islice(filter(_is_whole, rows), keep))
    by_day = Snapshot.objects.annotate(day=TruncDate("time")).values("day")
    last_of_day = by_day.annotate(last=Max("id")).order_by("-day")[:keep_days]
    kept = {*newest, *whole, *(day["last"] for day in last_of_day)}
    Snapshot.objects.exclude(id__in=kept).delete()


def _is_whole(row: Snapshot) -> bool:
    pieces = SnapshotPiece.objects.filter(snapshot=row).order_by("number")
    data = pieces.values_list("data", flat=True).iterator(chunk_size=1)
    return is_whole(header_of(row), row.sha256, map(bytes, data))


def list_snapshots(*, until: int | None = None, before: datetime | None = None) -> list[Snapshot]:
    """Newest first; those up to the entry `until`, or of entries not later than `before`."""
    rows = Snapshot.objects.order_by("-sequence", "-id")
    if until is not None:
        rows = rows.filter(sequence__lte=until)
    if before is not None:
        rows = rows.filter(time__lte=before)
    return list(rows)


def read_headers() -> Iterator[Header]:
    """Of the snapshots that stand by their columns, the newest first."""
    for row in list_snapshots():
        first = SnapshotPiece.objects.filter(snapshot=row, number=0).first()
        if first is not None and attests(header := header_of(row), bytes(first.data)):
            yield header


def kept_snapshot(row: Snapshot) -> KeptSnapshot:
    return KeptSnapshot(header_of(row), partial(load_packed, row))


def header_of(row: Snapshot) -> Header:
    return Header(
        format=row.format,
        core=row.core,
        sequence=row.sequence,
        epoch=row.epoch,
        time=to_milliseconds(row.time),
        digest=row.digest,
        state_hash=row.state_hash,
    )


def load_packed(row: Snapshot) -> Packed:
    """The snapshot as it was stored, for better or worse: nothing is checked here."""
    pieces = SnapshotPiece.objects.filter(snapshot=row).order_by("number")
    data = [bytes(piece) for piece in pieces.values_list("data", flat=True).iterator(chunk_size=4)]
    return Packed(header_of(row), row.sha256, data)
