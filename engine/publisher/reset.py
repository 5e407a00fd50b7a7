"""The publisher forgets which journal it followed. Only an operator decides that."""

import redis

from engine.publisher import keys
from engine.publisher.reader import read_status


def forget_feeds(shared: "redis.Redis") -> int:
    """The journal entry that was forgotten.

    Whoever publishes now is fenced off, or it would store its position once more; the next
    publisher begins anew, with the journal that it finds, and so does every socket.
    """
    forgotten = read_status(shared).sequence
    pipeline = shared.pipeline()
    pipeline.incr(keys.EPOCH)
    pipeline.delete(keys.LEASE, keys.STATE)
    pipeline.execute()
    return forgotten
