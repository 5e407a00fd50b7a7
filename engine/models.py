"""What PostgreSQL keeps of the journal, how far each projection of it has come, and snapshots."""

from typing import ClassVar

from django.db import models
from timescale.db.models.fields import TimescaleDateTimeField


class JournalEntry(models.Model):
    """The archive: every entry of the journal, for recovery after the stream has been trimmed.

    `commands` and `events` are the bytes of the stream, compressed (see `engine/archive.py`).
    Append-only by a trigger.
    """

    pk = models.CompositePrimaryKey("sequence", "time")
    sequence = models.BigIntegerField()
    time = TimescaleDateTimeField(interval="1 day")
    epoch = models.BigIntegerField()
    core = models.IntegerField()
    commands = models.BinaryField()
    events = models.BinaryField()
    digest = models.TextField()

    class Meta:
        verbose_name_plural = "journal entries"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(sequence__gt=0), name="journal_sequence_positive"
            )
        ]

    def __str__(self) -> str:
        return f"journal entry {self.sequence}"


class ProjectorPosition(models.Model):
    """The last journal entry whose rows a projection has written, in one transaction with them."""

    name = models.TextField(primary_key=True)
    sequence = models.BigIntegerField(default=0)
    time = models.DateTimeField(null=True, help_text="Of that journal entry.")
    digest = models.TextField(default="", blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(sequence__gte=0), name="projector_sequence_not_negative"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.sequence}"


class Snapshot(models.Model):
    """The engine's whole state at one journal entry; its bytes are the pieces, in order.

    The columns repeat what stands within (`engine/snapshots/codec.py`) and are compared with it.
    """

    sequence = models.BigIntegerField(help_text="The journal entry it stands at.")
    time = models.DateTimeField(help_text="Of that journal entry.")
    epoch = models.BigIntegerField()
    core = models.IntegerField(help_text="Version of the core that wrote it.")
    format = models.IntegerField()
    digest = models.TextField(help_text="Of all events up to that entry.")
    state_hash = models.TextField()
    sha256 = models.TextField(help_text="Of the compressed bytes.")
    size = models.BigIntegerField(help_text="Bytes, compressed.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-sequence", "-id"], name="snapshot_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(sequence__gt=0, size__gt=0), name="snapshot_not_empty"
            )
        ]

    def __str__(self) -> str:
        return f"snapshot of entry {self.sequence}"


class SnapshotPiece(models.Model):
    """Some megabytes of a snapshot."""

    pk = models.CompositePrimaryKey("snapshot_id", "number")
    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="pieces", db_index=False)
    number = models.IntegerField(help_text="Counts from 0.")
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"piece {self.number} of {self.snapshot_id}"


class DeadLetter(models.Model):
    """A message on which the engine failed time and again. They stand in the engine's Redis, not
    in a table (see `engine/dead_letters.py`); this gives the admin a page and a permission."""

    class Meta:
        managed = False
        default_permissions = ("view",)

    def __str__(self) -> str:
        return "dead letters"
