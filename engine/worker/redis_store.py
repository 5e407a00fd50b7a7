"""Queue, journal, lease and replies on the engine's Redis, in a few scripts."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

import redis

from engine.journal import JOURNAL_KEY, EncodedEntry, read_all_after, tail_sequence
from engine.wire import EPOCH_KEY, LEASE_KEY, QUEUE_KEY, REPLY_CHANNEL
from engine.worker.ports import Fenced, JournalTailMoved

LEASE_MS: Final = 1_000

# An epoch is raised with every lease that is taken, so an unchanged epoch proves that nobody led
# in between, even where the lease itself has lapsed: after a stall the leader goes on unharmed.
_ACQUIRE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local epoch = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return epoch
"""

_FENCE: Final = """
local holder = redis.call('GET', KEYS[1])
if redis.call('GET', KEYS[2]) ~= ARGV[1] or (holder and holder ~= ARGV[2]) then
  return redis.error_reply('FENCED another engine leads')
end
"""

_RENEW: Final = f"""{_FENCE}
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 'OK'
"""

# What can fail comes before what discards: neither a script nor MULTI rolls back. A stream refuses
# an id twice, but not a gap; hence the look at its tail.
_COMMIT: Final = f"""{_FENCE}
local queue, journal, consumed, sequence = KEYS[3], KEYS[4], tonumber(ARGV[4]), tonumber(ARGV[5])
if sequence > 0 then
  local newest = redis.call('XREVRANGE', journal, '+', '-', 'COUNT', 1)
  local tail = newest[1] and newest[1][1] or '0-0'
  if tail ~= string.format('%.0f-0', sequence - 1) then
    return redis.error_reply('TAIL the journal ends at ' .. tail)
  end
  redis.call('XADD', journal, ARGV[5] .. '-0', unpack(ARGV, 6))
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if consumed > 0 then redis.call('LTRIM', queue, consumed, -1) end
return 'OK'
"""

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisStore:
    """The worker's `Store`."""

    def __init__(self, connection: "redis.Redis", lease_ms: int = LEASE_MS) -> None:
        self._redis = connection
        self._owner = secrets.token_hex(8)
        self._lease_ms = lease_ms
        self._epoch = 0
        self._acquire = connection.register_script(_ACQUIRE)
        self._renew = connection.register_script(_RENEW)
        self._commit = connection.register_script(_COMMIT)
        self._release = connection.register_script(_RELEASE)

    def acquire(self) -> int | None:
        epoch = self._acquire(keys=[LEASE_KEY, EPOCH_KEY], args=[self._owner, self._lease_ms])
        if epoch is None:
            return None
        self._epoch = int(epoch)
        return self._epoch

    def renew(self) -> None:
        self._fenced(self._renew, [LEASE_KEY, EPOCH_KEY], [])

    def release(self) -> None:
        self._release(keys=[LEASE_KEY], args=[self._owner])

    def peek(self, limit: int) -> list[bytes]:
        return self._redis.lrange(QUEUE_KEY, 0, limit - 1)

    def wait(self, limit: int, timeout_ms: int) -> list[bytes]:
        # From the head to the head: it wakes up without moving anything.
        head = self._redis.blmove(QUEUE_KEY, QUEUE_KEY, timeout_ms / 1000, "LEFT", "LEFT")
        return self.peek(limit) if head is not None else []

    def tail(self) -> int:
        return tail_sequence(self._redis)

    def read_after(self, sequence: int) -> Iterator[EncodedEntry]:
        return read_all_after(self._redis, sequence)

    def commit(self, entry: EncodedEntry | None, consumed: int) -> None:
        arguments: list[Any] = [consumed, entry.sequence if entry else 0]
        if entry is not None:
            for name, value in entry.fields().items():
                arguments += (name, value)
        self._fenced(self._commit, [LEASE_KEY, EPOCH_KEY, QUEUE_KEY, JOURNAL_KEY], arguments)

    def publish(self, replies: Mapping[str, bytes], limit: int) -> list[bytes]:
        pipeline = self._redis.pipeline(transaction=False)
        for client, encoded in replies.items():
            pipeline.publish(REPLY_CHANNEL + client, encoded)
        pipeline.lrange(QUEUE_KEY, 0, limit - 1)
        waiting: list[bytes] = pipeline.execute()[-1]
        return waiting

    def _fenced(self, script: Any, keys: list[str], arguments: list[Any]) -> None:
        """Run a script that begins with the fence."""
        try:
            script(keys=keys, args=[self._epoch, self._owner, self._lease_ms, *arguments])
        except redis.ResponseError as error:
            if str(error).startswith("FENCED"):
                raise Fenced(str(error)) from error
            if str(error).startswith("TAIL"):
                raise JournalTailMoved(str(error)) from error
            raise
