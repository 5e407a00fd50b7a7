"""How far a projection has come, kept in one transaction with the rows it wrote."""

import zlib
from datetime import datetime
from typing import Final

from django.db import connection

from engine.models import ProjectorPosition

JOURNAL: Final = "journal"
"""The projector's own position: everything up to it is in the tables and in the archive."""

_LOCK_SPACE: Final = 0x45584348
"""First half of the advisory lock's key, so that it meets no other user of such locks."""


class PositionBusyError(Exception):
    """Another process holds the projection; there is nothing to do for this one."""


def lock_position(name: str) -> ProjectorPosition:
    """The position, locked until the transaction ends. Raises PositionBusyError rather than wait.

    The advisory lock makes one writer even where the row does not exist yet; the row lock keeps
    out anyone who updates it by hand.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", lock_key(name))
        if not cursor.fetchone()[0]:
            raise PositionBusyError(name)
    return ProjectorPosition.objects.select_for_update().get_or_create(name=name)[0]


def advance_position(
    position: ProjectorPosition, *, sequence: int, time: datetime | None, digest: str = ""
) -> None:
    position.sequence, position.time, position.digest = sequence, time, digest
    position.save()


def lock_key(name: str) -> tuple[int, int]:
    return _LOCK_SPACE, zlib.crc32(name.encode()) & 0x7FFFFFFF


def read_position(name: str) -> ProjectorPosition:
    """The position as it stands, without a lock; at 0 where there is none yet."""
    return ProjectorPosition.objects.filter(name=name).first() or ProjectorPosition(name=name)


def projected_sequence(name: str = JOURNAL) -> int:
    """Up to which journal entry the tables are written; 0 where nothing is."""
    sequences = ProjectorPosition.objects.filter(name=name).values_list("sequence", flat=True)
    return sequences.first() or 0
