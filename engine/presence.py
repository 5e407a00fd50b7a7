"""Who leads and who stands by: what engines say of themselves in their Redis.

- `engine:leader`, a hash: `instance`, `pid`, `epoch` and `since` (ms) of whoever took the lease
  last; written with the lease.
- `engine:standbys`, a hash: an engine's id to JSON `[instance, pid, sequence, seen_ms]`; written
  each second by each standby.

They only tell. What decides is the lease, and the epoch in every commit. Times are those of Redis,
so that nobody's clock makes a standby look dead.
"""

from typing import Any, Final

import msgspec
import redis

from engine.wire import LEASE_KEY

LEADER_KEY: Final = "engine:leader"
STANDBYS_KEY: Final = "engine:standbys"

ANNOUNCE_EVERY_S: Final = 1.0
SILENT_MS: Final = 5_000
"""A standby that was not heard of for so long does not count, and the next one sweeps it out."""


class Instance(msgspec.Struct, frozen=True):
    """An engine process, as people call it."""

    name: str
    pid: int


class Leader(msgspec.Struct, frozen=True):
    instance: str
    pid: int
    epoch: int
    since: int
    """When it took the lease, in milliseconds since the epoch UTC."""


class Standby(msgspec.Struct, frozen=True, array_like=True):
    instance: str
    pid: int
    sequence: int
    """The journal entry up to which it has followed."""
    seen: int
    """When it said so, in milliseconds since the epoch UTC."""


class Presence(msgspec.Struct, frozen=True):
    leads: bool
    """Somebody holds the lease."""
    leader: Leader | None
    """Whoever took it last; None before the first engine ever did."""
    standbys: list[Standby]


def read_presence(connection: "redis.Redis") -> Presence:
    pipeline = connection.pipeline(transaction=False)
    pipeline.exists(LEASE_KEY)
    pipeline.hgetall(LEADER_KEY)
    pipeline.hvals(STANDBYS_KEY)
    pipeline.time()
    lease, leader, standbys, (seconds, microseconds) = pipeline.execute()
    heard_since = seconds * 1000 + microseconds // 1000 - SILENT_MS
    known = [_decode_standby(text) for text in standbys]
    return Presence(
        leads=bool(lease),
        leader=_leader_from(leader) if leader else None,
        standbys=[standby for standby in known if standby.seen > heard_since],
    )


_decode_standby: Final = msgspec.json.Decoder(Standby).decode


def _leader_from(fields: dict[bytes, Any]) -> Leader:
    return Leader(
        instance=fields[b"instance"].decode(errors="replace"),
        pid=int(fields[b"pid"]),
        epoch=int(fields[b"epoch"]),
        since=int(fields[b"since"]),
    )
