"""Whether more commands may come: the high-water marks of the queue and of the journal.

A client pushes with one script, which looks at the queue's length and at one key, `engine:full`.
That key is the leader's: once a second it looks at the memory of its Redis, where the journal
grows, and while that is scarce the key says why. Then only what makes the journal hardly longer
still comes in: cancels and queries. The rest of the memory is for what waits in the queue already.

What waits is kept in memory only: nothing is promised of a command before it stands in the journal,
and a push that went to the disk would have each order wait for the disk twice. So a Redis that is
killed loses the queue, and whoever waits for an answer learns that the status is unknown.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, get_args

from engine.core.commands import CancelAll, CancelAllAfter, CancelOrder, CancelOrderList, Command
from engine.core.queries import Query
from engine.wire import BELL_KEY, QUEUE_KEY

FULL_KEY: Final = "engine:full"

MAX_QUEUE_LENGTH: Final = 100_000
"""More waiting messages than this are refused: the engine is overloaded."""

HIGH_WATER: Final = 0.90
"""Of the Redis server's `maxmemory`: above this the journal counts as full."""

LOW_WATER: Final = 0.85
"""A full journal counts as full until less than this is used."""

MAX_ENTRIES: Final = 20_000_000
"""Journal entries that are too many in any case, for a server without `maxmemory`."""

LOOK_EVERY_S: Final = 1.0

_TAKEN_WHEN_FULL: Final = (
    CancelOrder,
    CancelOrderList,
    CancelAll,
    CancelAllAfter,
    *get_args(Query),
)

# What follows `set_repl` reaches neither the append-only file nor a replica. Yet the file may hold
# a queue: what waited when it was written anew. That is the beginning of the real one, and commits
# take off both alike, so that no command comes twice.
PUSH: Final = """
if ARGV[2] == '1' and redis.call('EXISTS', KEYS[3]) == 1 then return -1 end
local length = redis.call('LLEN', KEYS[1])
if length + #ARGV - 2 > tonumber(ARGV[1]) then return 0 end
redis.set_repl(redis.REPL_NONE)
if length == 0 then redis.call('XADD', KEYS[2], 'MAXLEN', 1, '*', '', '') end
return redis.call('RPUSH', KEYS[1], unpack(ARGV, 3))
"""
"""All of the messages or none. Answers the queue's length, 0 where that is too long already, and
-1 where the journal is full."""

QUEUE_FULL: Final = 0
JOURNAL_FULL: Final = -1


def push_command(
    messages: Iterable[Command | Query], envelopes: Iterable[bytes]
) -> tuple[str | bytes | int, ...]:
    """The command that runs `PUSH`."""
    needs_room = any(not isinstance(message, _TAKEN_WHEN_FULL) for message in messages)
    keys = (QUEUE_KEY, BELL_KEY, FULL_KEY)
    return "EVAL", PUSH, len(keys), *keys, MAX_QUEUE_LENGTH, int(needs_room), *envelopes


class Room(NamedTuple):
    """How much the engine's Redis holds."""

    used_bytes: int
    max_bytes: int
    """0: it has no limit."""
    entries: int
    """In the journal's stream."""


def why_full(room: Room, *, was_full: bool) -> str | None:
    """Why no more may come; None where it may."""
    mark = LOW_WATER if was_full else HIGH_WATER
    if room.max_bytes and room.used_bytes > mark * room.max_bytes:
        return f"{room.used_bytes} of {room.max_bytes} bytes of its Redis are used"
    if room.entries > mark * MAX_ENTRIES:
        return f"the journal's stream holds {room.entries} entries"
    return None
