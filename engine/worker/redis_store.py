"""Queue, journal, lease and replies on the engine's Redis, in a few scripts."""

import logging
import os
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import redis

from engine.dead_letters import (
    DEAD_LETTERS_KEY,
    MAX_DEAD_LETTERS,
    SUSPECTS_KEY,
    Failure,
    Verdict,
    decode_failure,
    encode_dead_letter,
    encode_failure,
)
from engine.intake import FULL_KEY, Room, why_full
from engine.journal import JOURNAL_KEY, EncodedEntry, read_all_after, tail_sequence
from engine.leases import FENCE, FENCED, GIVE_BACK, HOLD, TAKE
from engine.presence import LEADER_KEY, SILENT_MS, STANDBYS_KEY, Instance
from engine.wire import BELL_KEY, EPOCH_KEY, LEASE_KEY, QUEUE_KEY, REPLY_CHANNEL
from engine.worker.ports import Fenced, JournalTailMoved

LEASE_MS: Final = 1_000

_log = logging.getLogger(__name__)

_NOW_MS: Final = """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
"""

_ACQUIRE: Final = f"""{_NOW_MS}{TAKE}
redis.call('HSET', KEYS[3], 'instance', ARGV[3], 'pid', ARGV[4], 'epoch', epoch, 'since', now_ms)
redis.call('HDEL', KEYS[4], ARGV[1])
return epoch
"""

# Whoever was killed cannot sign off; the others sweep it out.
_ANNOUNCE: Final = f"""{_NOW_MS}
local standbys = redis.call('HGETALL', KEYS[1])
for i = 1, #standbys, 2 do
  if cjson.decode(standbys[i + 1])[4] < now_ms - tonumber(ARGV[5]) then
    redis.call('HDEL', KEYS[1], standbys[i])
  end
end
local standby = {{ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), now_ms}}
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(standby))
return 'OK'
"""

_RENEW: Final = f"""{FENCE}{HOLD}
return 'OK'
"""

# What can fail comes before what discards: neither a script nor MULTI rolls back. A stream refuses
# an id twice, but not a gap; hence the look at its tail.
_COMMIT: Final = f"""{FENCE}
local queue, journal, consumed, sequence = KEYS[3], KEYS[4], tonumber(ARGV[4]), tonumber(ARGV[5])
local settled, dead_letter = ARGV[6], ARGV[7]
if sequence > 0 then
  local newest = redis.call('XREVRANGE', journal, '+', '-', 'COUNT', 1)
  local tail = newest[1] and newest[1][1] or '0-0'
  if tail ~= string.format('%.0f-0', sequence - 1) then
    return redis.error_reply('TAIL the journal ends at ' .. tail)
  end
  if dead_letter ~= '' then
    redis.call('XADD', KEYS[6], 'MAXLEN', ARGV[8], '*', 'letter', dead_letter)
  end
  redis.call('XADD', journal, ARGV[5] .. '-0', unpack(ARGV, 9))
end
{HOLD}
for name in string.gmatch(settled, '%S+') do redis.call('HDEL', KEYS[5], name) end
if consumed > 0 then redis.call('LTRIM', queue, consumed, -1) end
return 'OK'
"""

_COMMIT_KEYS: Final = (
    LEASE_KEY,
    EPOCH_KEY,
    QUEUE_KEY,
    JOURNAL_KEY,
    SUSPECTS_KEY,
    DEAD_LETTERS_KEY,
)

_SUSPECT: Final = f"""{FENCE}
return redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
"""

_SET_FULL: Final = f"""{FENCE}
if ARGV[4] == '' then return redis.call('DEL', KEYS[3]) end
return redis.call('SET', KEYS[3], ARGV[4])
"""

_RELEASE: Final = f"""
redis.call('HDEL', KEYS[2], ARGV[1])
{GIVE_BACK}
"""


class RedisStream:
    """The journal for those who only read it."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def read_after(self, sequence: int) -> Iterator[EncodedEntry]:
        return read_all_after(self._client, sequence)

    def tail(self) -> int:
        return tail_sequence(self._client)


class RedisStore(RedisStream):
    """The worker's `Store`, on one connection: everything happens in the order of these calls."""

    def __init__(
        self, client: "redis.Redis", lease_ms: int = LEASE_MS, instance: Instance | None = None
    ) -> None:
        super().__init__(client)
        self._connection = client.connection_pool.get_connection()
        self._owner = secrets.token_hex(8)
        self._lease_ms = lease_ms
        self._instance = instance or Instance(socket.gethostname(), os.getpid())
        self._epoch = 0
        self._publishing = 0
        """Replies whose way out is not confirmed yet."""
        self._heard = "0"
        """The last ring that was answered."""
        self._full: str | None = None
        """Why clients are held back; empty where they are not, None before the first look."""

    def acquire(self) -> int | None:
        keys = (LEASE_KEY, EPOCH_KEY, LEADER_KEY, STANDBYS_KEY)
        who = (self._owner, self._lease_ms, self._instance.name, self._instance.pid)
        epoch = self._ask("EVAL", _ACQUIRE, len(keys), *keys, *who)
        if epoch is None:
            return None
        self._epoch = int(epoch)
        return self._epoch

    def renew(self) -> None:
        self._send_fenced(_RENEW, [LEASE_KEY, EPOCH_KEY], [])
        self._read_fenced()

    def release(self) -> None:
        self._ask("EVAL", _RELEASE, 2, LEASE_KEY, STANDBYS_KEY, self._owner)

    def announce(self, sequence: int) -> None:
        who = (self._owner, self._instance.name, self._instance.pid)
        self._ask("EVAL", _ANNOUNCE, 1, STANDBYS_KEY, *who, sequence, SILENT_MS)

    def peek(self, limit: int, skip: int = 0) -> list[bytes]:
        waiting: list[bytes] = self._ask("LRANGE", QUEUE_KEY, skip, skip + limit - 1)
        return waiting

    def wait(self, limit: int, timeout_ms: int) -> list[bytes]:
        # Of all commands that wait only this one writes nothing, and so waits for no disk. It may
        # tell of a ring whose messages were seen already, but not twice.
        for _ in range(2):
            rung = self._ask("XREAD", "BLOCK", timeout_ms, "STREAMS", BELL_KEY, self._heard)
            if rung is not None:
                self._heard = _newest_id(rung)
            waiting = self.peek(limit)
            if waiting or rung is None:
                return waiting
        return []

    def regulate(self) -> None:
        used, most = _memory_of(self._ask("INFO", "memory"))
        room = Room(used, most, entries=self._ask("XLEN", JOURNAL_KEY))
        why = why_full(room, was_full=bool(self._full)) or ""
        if bool(why) == bool(self._full) and self._full is not None:
            return
        self._send_fenced(_SET_FULL, [LEASE_KEY, EPOCH_KEY, FULL_KEY], [why])
        self._read_fenced()
        if why:
            _log.error("no more orders are taken: %s", why)
        elif self._full:
            _log.info("orders are taken again")
        self._full = why

    def begin_commit(
        self, entry: EncodedEntry | None, consumed: int, verdict: Verdict | None = None
    ) -> None:
        settled: str | bytes = ""
        dead_letter: str | bytes = ""
        if verdict is not None:
            settled = " ".join(verdict.settled)
            if verdict.dead_letter is not None:
                dead_letter = encode_dead_letter(verdict.dead_letter)
        sequence = entry.sequence if entry is not None else 0
        arguments: list[str | bytes | int] = [consumed, sequence]
        arguments += (settled, dead_letter, MAX_DEAD_LETTERS)
        if entry is not None:
            for name, value in entry.fields().items():
                arguments += (name, value)
        self._send_fenced(_COMMIT, _COMMIT_KEYS, arguments)

    def finish_commit(self) -> None:
        self._read_fenced()

    def suspects(self) -> dict[str, Failure]:
        answer = self._ask("HGETALL", SUSPECTS_KEY)
        # RESP2 answers a list, RESP3 a map.
        pairs = (
            answer.items() if isinstance(answer, dict) else zip(*[iter(answer)] * 2, strict=True)
        )
        return {name.decode(): decode_failure(failure) for name, failure in pairs}

    def suspect(self, name: str, failure: Failure) -> None:
        keys = [LEASE_KEY, EPOCH_KEY, SUSPECTS_KEY]
        self._send_fenced(_SUSPECT, keys, [name, encode_failure(failure)])
        self._read_fenced()

    def begin_publish(self, replies: Mapping[str, bytes], limit: int, skip: int = 0) -> None:
        commands = [("PUBLISH", REPLY_CHANNEL + name, text) for name, text in replies.items()]
        self._connection.send_packed_command(self._connection.pack_commands(commands))
        self._connection.send_command("LRANGE", QUEUE_KEY, skip, skip + limit - 1)
        self._publishing = len(commands)

    def finish_publish(self) -> list[bytes]:
        for _ in range(self._publishing):
            self._connection.read_response()
        waiting: list[bytes] = self._connection.read_response()
        return waiting

    def _ask(self, *command: str | bytes | float) -> Any:
        self._connection.send_command(*command)
        return self._connection.read_response()

    def _send_fenced(
        self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | int]
    ) -> None:
        """Start a script that begins with the fence."""
        fence = (self._epoch, self._owner, self._lease_ms)
        self._connection.send_command("EVAL", script, len(keys), *keys, *fence, *arguments)

    def _read_fenced(self) -> None:
        try:
            self._connection.read_response()
        except redis.ResponseError as error:
            if str(error).startswith(FENCED):
                raise Fenced(str(error)) from error
            if str(error).startswith("TAIL"):
                raise JournalTailMoved(str(error)) from error
            raise


def _memory_of(info: bytes) -> tuple[int, int]:
    """`used_memory` and `maxmemory`, of the answer to INFO."""
    figures = dict(line.split(b":", 1) for line in info.splitlines() if b":" in line)
    return int(figures[b"used_memory"]), int(figures[b"maxmemory"])


def _newest_id(rung: Any) -> str:
    """Of the one stream that XREAD answered of. RESP2 answers a list, RESP3 a map."""
    [entries] = rung.values() if isinstance(rung, dict) else (stream[1] for stream in rung)
    newest: bytes = entries[-1][0]
    return newest.decode()
