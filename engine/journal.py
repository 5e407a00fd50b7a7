"""The journal: a Redis Stream with one entry per committed batch, and its format.

An entry's stream id is `<sequence>-0`. Its fields are text, so that
`redis-cli XRANGE engine:journal - + COUNT 1` can be read by a person:

| field | is |
| --- | --- |
| `epoch` | which leadership wrote it; raised by every engine that takes the lease |
| `core` | version of the core that produced the events |
| `time` | of the batch, in milliseconds since the epoch UTC; never runs backwards |
| `commands` | JSON list, in the order in which they were applied, as their clients wrote them |
| `events` | JSON list of lists: first what fell due by `time`, then the events of each command |
| `digest` | of all commands and events so far, hexadecimal (see `engine/core/digest.py`) |
| `origins` | JSON list: `[reply_to, request_id]` of each command, null where it is not known |

Whoever leads next answers the last entry once more: its author may have died between the commit and
the replies. The archive does not keep `origins`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import redis
import redis.asyncio

from engine.core.acceptance import complete_event
from engine.core.commands import Command
from engine.core.events import Event, OrderAccepted

JOURNAL_KEY: Final = "engine:journal"


class JournalEntry(msgspec.Struct, frozen=True):
    sequence: int
    epoch: int
    core: int
    time: int
    commands: list[Command]
    events: list[list[Event]]
    digest: str


class EncodedEntry(msgspec.Struct, frozen=True):
    """An entry as it stands in the stream: what the archive keeps and digests are checked on."""

    sequence: int
    epoch: int
    core: int
    time: int
    commands: bytes
    events: bytes
    digest: str
    origins: bytes = b"[]"

    def decode_commands(self) -> list[Command]:
        return _decode_commands(self.commands)

    def decode(self) -> JournalEntry:
        """Raises msgspec.ValidationError where the entry is of another format."""
        return JournalEntry(
            sequence=self.sequence,
            epoch=self.epoch,
            core=self.core,
            time=self.time,
            commands=self.decode_commands(),
            events=self.decode_events(),
            digest=self.digest,
        )

    def decode_events(self) -> list[list[Event]]:
        """Only the events, completed, for those who do not replay. Raises like `decode`."""
        events = _decode_events(self.events)
        commands: list[Command] | None = None
        for index, caused in enumerate(events):
            for place, event in enumerate(caused):
                if isinstance(event, OrderAccepted):
                    commands = commands or self.decode_commands()
                    caused[place] = complete_event(event, commands[index - 1], self.time)
        return events

    def fields(self) -> dict[str, str | bytes | int]:
        return {
            "epoch": self.epoch,
            "core": self.core,
            "time": self.time,
            "commands": self.commands,
            "events": self.events,
            "digest": self.digest,
            "origins": self.origins,
        }


_decode_commands = msgspec.json.Decoder(list[Command]).decode
_decode_events = msgspec.json.Decoder(list[list[Event]]).decode


def parse_entry(stream_id: bytes, fields: Mapping[bytes, bytes]) -> EncodedEntry:
    return EncodedEntry(
        sequence=int(stream_id.split(b"-", 1)[0]),
        epoch=int(fields[b"epoch"]),
        core=int(fields[b"core"]),
        time=int(fields[b"time"]),
        commands=fields[b"commands"],
        events=fields[b"events"],
        digest=fields[b"digest"].decode("ascii"),
        origins=fields.get(b"origins", b"[]"),
    )


def read_after(
    connection: "redis.Redis", sequence: int, *, count: int, block_ms: int | None = None
) -> list[EncodedEntry]:
    """Up to `count` entries after `sequence`; waits up to `block_ms` where there are none yet."""
    return _parse(connection.xread({JOURNAL_KEY: f"{sequence}-0"}, count=count, block=block_ms))


async def read_after_async(
    connection: "redis.asyncio.Redis", sequence: int, *, count: int, block_ms: int | None = None
) -> list[EncodedEntry]:
    """`read_after` for a coroutine."""
    waiting = () if block_ms is None else ("BLOCK", block_ms)
    return _parse(
        await connection.execute_command(
            "XREAD", "COUNT", count, *waiting, "STREAMS", JOURNAL_KEY, f"{sequence}-0"
        )
    )


def _parse(streams: Any) -> list[EncodedEntry]:
    if not streams:
        return []
    # RESP2 answers a list of streams, RESP3 a map.
    entries = streams[0][1] if isinstance(streams, list) else streams[JOURNAL_KEY.encode()][0]
    return [parse_entry(stream_id, fields) for stream_id, fields in entries]


def read_all_after(
    connection: "redis.Redis", sequence: int, *, count: int = 50
) -> Iterator[EncodedEntry]:
    """Every entry after `sequence` that stands there now, in pages of `count`."""
    while entries := read_after(connection, sequence, count=count):
        yield from entries
        sequence = entries[-1].sequence


def tail_sequence(connection: "redis.Redis") -> int:
    """The newest entry's sequence; 0 for an empty journal."""
    return _sequence_of(connection.xrevrange(JOURNAL_KEY, count=1))


async def tail_sequence_async(connection: "redis.asyncio.Redis") -> int:
    """`tail_sequence` for a coroutine."""
    return _sequence_of(await connection.xrevrange(JOURNAL_KEY, count=1))


def _sequence_of(newest: Any) -> int:
    return int(newest[0][0].split(b"-", 1)[0]) if newest else 0
