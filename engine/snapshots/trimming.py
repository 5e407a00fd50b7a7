"""The stream is trimmed to what nobody needs of it any more, and never further."""

from typing import Final

import redis

from engine.journal import JOURNAL_KEY, read_after, tail_sequence
from engine.projector.positions import JOURNAL, projected_sequence
from engine.publisher.reader import read_status

TRIM_AT_ONCE: Final = 1_000
"""Entries of one command: a commit waits for no more than some milliseconds."""


def trim_journal(journal: "redis.Redis", shared: "redis.Redis", *, snapshot: int, keep: int) -> int:
    """Trim to min(archive, `snapshot`, publisher), but for the newest `keep`; how many entries.

    `snapshot`: the entry of a snapshot that is stored and was read back. A publisher without a
    position keeps everything: it may be about to read it.
    """
    needless = last_needless(
        archived=projected_sequence(JOURNAL),
        snapshot=snapshot,
        published=read_status(shared).sequence,
        kept=tail_sequence(journal) - keep,
    )
    oldest = read_after(journal, 0, count=1)
    if not oldest:
        return 0
    trimmed, first = 0, oldest[0].sequence
    while first <= needless:
        first = min(first + TRIM_AT_ONCE, needless + 1)
        trimmed += journal.xtrim(JOURNAL_KEY, minid=f"{first}-0", approximate=False)
    return trimmed


def last_needless(*, archived: int, snapshot: int, published: int, kept: int) -> int:
    """The newest entry that may go: everybody has it, and it is not among those after `kept`."""
    return min(archived, snapshot, published, kept)
