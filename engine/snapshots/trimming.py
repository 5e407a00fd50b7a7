"""The stream is trimmed to what nobody needs of it any more, and never further.

The log on disk, which remembers all that was ever in the stream, is then written anew by Redis.
That takes a core and the disk for as long as there is much in memory, so this is the time for it.
"""

from typing import Final

import redis

from engine.journal import JOURNAL_KEY, read_after, tail_sequence
from engine.projector.positions import JOURNAL, projected_sequence
from engine.publisher.reader import read_status

TRIM_AT_ONCE: Final = 1_000
"""Entries of one command: a commit waits for no more than some milliseconds."""

REWRITE_ABOVE_BYTES: Final = 256 * 1024 * 1024
"""Of the log, since it was written anew the last time. Redis does it by itself much later
(`auto-aof-rewrite-min-size`)."""

LOG_TO_MEMORY: Final = 4
"""How many times as long as what is in memory the log must be: then most of it goes."""


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


def rewrite_log(journal: "redis.Redis", *, above_bytes: int = REWRITE_ABOVE_BYTES) -> bool:
    """Have the log written anew, if that is worth it; whether it was begun."""
    told = journal.info("persistence")
    length = told.get("aof_current_size", 0)
    in_memory = journal.info("memory")["used_memory"]
    if length - told.get("aof_base_size", 0) < above_bytes or length < LOG_TO_MEMORY * in_memory:
        return False
    if told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"]:
        return False
    try:
        journal.bgrewriteaof()
    except redis.ResponseError:  # some hosts keep this to themselves
        return False
    return True
