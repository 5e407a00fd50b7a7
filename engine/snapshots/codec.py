"""How a snapshot is written: four lines of JSON, compressed, with one checksum over all.

| line | is |
| --- | --- |
| 1 | `Header`: which entry it stands at, and what the state must hash to |
| 2 | `FeedsRecord`: books, candles and statistics, for a publisher that lost its own |
| 3 | the replies to that entry, by client: whoever leads next answers it once more |
| 4 | the core's `Snapshot` |

The header stands in columns too. All of it is checked when a snapshot is opened: the checksum, the
columns against the header, the formats, and at last the hash of the state that came out.
"""

import gc
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

import msgspec

from engine.core.engine import CORE_VERSION
from engine.core.snapshot import (
    decode_snapshot,
    encode_snapshot,
    restore_snapshot,
    snapshot_hash,
    state_hash,
    take_snapshot,
)
from engine.publisher.record import FeedsRecord
from engine.worker.recovery import Replica

FORMAT_VERSION: Final = 1
"""Raised when older snapshots cannot be read any more."""

PIECE_BYTES: Final = 4_000_000
"""Of one row: far below what PostgreSQL or a driver would stumble over."""

_LEVEL: Final = 1
"""Of zlib: higher ones save a tenth of the bytes for several times the time."""

_LONGEST_HEADER: Final = 4_096
"""Bytes, and far more than it ever has."""

_encode = msgspec.json.Encoder().encode


class SnapshotInvalid(Exception):
    """A snapshot that cannot be used; says why."""


class Header(msgspec.Struct, frozen=True):
    """`digest`, `epoch` and `time` (milliseconds) are those of the journal entry `sequence`."""

    format: int
    core: int
    sequence: int
    epoch: int
    time: int
    digest: str
    state_hash: str


class Packed(msgspec.Struct, frozen=True):
    """A snapshot on its way into, or out of, a store."""

    header: Header
    sha256: str
    pieces: list[bytes]

    @property
    def size(self) -> int:
        """Bytes, compressed."""
        return sum(map(len, self.pieces))


_decode_header = msgspec.json.Decoder(Header).decode
_decode_feeds = msgspec.json.Decoder(FeedsRecord).decode
_decode_replies = msgspec.json.Decoder(dict[str, str]).decode


def pack_snapshot(replica: Replica, feeds: FeedsRecord) -> Packed:
    """The replica as it stands now."""
    with without_collections():
        snapshot = take_snapshot(replica.engine)
        header = Header(
            format=FORMAT_VERSION,
            core=CORE_VERSION,
            sequence=replica.sequence,
            epoch=replica.epoch,
            time=replica.engine.time,
            digest=replica.digest,
            state_hash=snapshot_hash(snapshot),
        )
        replies = {name: reply.decode() for name, reply in replica.last_replies().items()}
        state = encode_snapshot(snapshot)
    lines = (_encode(header), b"\n", _encode(feeds), b"\n", _encode(replies), b"\n", state)
    pieces = list(_pieces(_compressed(lines)))
    return Packed(header, _sha256(pieces), pieces)


class OpenSnapshot:
    """A snapshot whose checksum and header are good. Its lines are decoded when asked for."""

    def __init__(self, packed: Packed) -> None:
        """Raises SnapshotInvalid."""
        if _sha256(packed.pieces) != packed.sha256:
            raise SnapshotInvalid("its checksum does not match")
        try:
            text = _decompressed(packed.pieces)
            header, feeds, replies, self._state = _lines(text)
            self.header = _decode_header(header)
        except (zlib.error, ValueError) as error:
            raise SnapshotInvalid(f"it cannot be read: {error}") from error
        if self.header != packed.header:
            raise SnapshotInvalid("its columns do not say what its header says")
        if self.header.format != FORMAT_VERSION:
            raise SnapshotInvalid(
                f"it has format {self.header.format}, and this version reads {FORMAT_VERSION}"
            )
        self._feeds, self._replies = feeds, replies

    def feeds(self) -> FeedsRecord:
        """Raises SnapshotInvalid."""
        try:
            return _decode_feeds(self._feeds)
        except ValueError as error:
            raise SnapshotInvalid(f"its feeds cannot be read: {error}") from error

    def replica(self) -> Replica:
        """A replica that stands there. Raises SnapshotInvalid."""
        replica = Replica()
        try:
            with without_collections():
                restore_snapshot(replica.engine, decode_snapshot(self._state))
                found = state_hash(replica.engine)
            replies = _decode_replies(self._replies)
        except (ValueError, KeyError, AssertionError) as error:
            raise SnapshotInvalid(f"its state cannot be read: {error}") from error
        if found != self.header.state_hash:
            raise SnapshotInvalid("its state does not have the hash that its header says")
        replica.stand_at(
            self.header.sequence,
            digest=self.header.digest,
            epoch=self.header.epoch,
            replies={name: reply.encode() for name, reply in replies.items()},
        )
        return replica


def attests(columns: Header, start: bytes) -> bool:
    """Whether a snapshot's first line says what its columns say; the rest is not looked at."""
    try:
        text = zlib.decompressobj().decompress(start, _LONGEST_HEADER)
        return _decode_header(text.partition(b"\n")[0]) == columns
    except (zlib.error, ValueError):
        return False


def is_whole(columns: Header, checksum: str, pieces: Iterable[bytes]) -> bool:
    """Whether it is as it was stored, by its columns and its checksum, a piece at a time. It may
    be of another version all the same."""
    digest, start = sha256(), b""
    for piece in pieces:
        digest.update(piece)
        if len(start) < _LONGEST_HEADER:
            start += piece
    return digest.hexdigest() == checksum and attests(columns, start)


@contextmanager
def without_collections() -> Iterator[None]:
    """While millions of objects are made that stay, looking for garbage takes half of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _sha256(pieces: Iterable[bytes]) -> str:
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _compressed(lines: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_LEVEL)
    for line in lines:
        view = memoryview(line)
        for start in range(0, len(view), PIECE_BYTES):
            yield compressor.compress(view[start : start + PIECE_BYTES])
    yield compressor.flush()


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, in pieces of PIECE_BYTES but for the last."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= PIECE_BYTES:
            yield bytes(waiting[:PIECE_BYTES])
            del waiting[:PIECE_BYTES]
    if waiting:
        yield bytes(waiting)


def _decompressed(pieces: Iterable[bytes]) -> bytearray:
    decompressor, text = zlib.decompressobj(), bytearray()
    for piece in pieces:
        text += decompressor.decompress(piece)
    if not decompressor.eof or decompressor.unused_data:
        raise ValueError("it is cut off, or something follows it")
    return text


def _lines(text: bytearray) -> list[memoryview]:
    """The four lines, without copying the last, which may have hundreds of megabytes."""
    view, lines, start = memoryview(text), [], 0
    for _ in range(3):
        end = text.index(b"\n", start)
        lines.append(view[start:end])
        start = end + 1
    return [*lines, view[start:]]
