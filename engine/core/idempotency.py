"""The first reply to a key answers every repetition of its command.

Keys belong to an account. They answer for 24 hours; a store with a bound forgets the oldest
earlier, and then a repetition counts as new.
"""

from collections import deque
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from engine.core.rejections import Code
from engine.core.replies import Refused, Reply

KEEP_MS: Final = 24 * 60 * 60 * 1000
_SWEEP_AT_ONCE: Final = 4

_encode: Final = msgspec.json.Encoder().encode
_decode_reply: Final = msgspec.json.Decoder(Reply).decode


class Remembered(NamedTuple):
    """`reply` is kept encoded: a third of the memory."""

    fingerprint: bytes
    reply: bytes
    time: int


class Idempotency:
    """One store of keys, bounded in time and, with `keep_count`, in number."""

    def __init__(self, keep_count: int | None = None) -> None:
        self._keep_count = keep_count
        self._replies: dict[tuple[int, str], Remembered] = {}
        self._ages: deque[tuple[int, int, str]] = deque()
        """`(time, account, key)`, oldest first."""

    def __len__(self) -> int:
        return len(self._replies)

    def recall(self, account: int, key: str, content: object, now: int) -> Reply | None:
        """The first reply to this key; a refusal where the key stood for other content."""
        remembered = self._replies.get((account, key))
        if remembered is None or remembered.time <= now - KEEP_MS:
            return None
        if remembered.fingerprint != fingerprint(content):
            return Refused(Code.KEY_REUSED, "this key was used for something else before")
        reply: Reply = _decode_reply(remembered.reply)
        return reply

    def remember(self, account: int, key: str, content: object, reply: Reply, now: int) -> None:
        self.restore(account, key, Remembered(fingerprint(content), _encode(reply), now))
        self._sweep(now)

    def restore(self, account: int, key: str, remembered: Remembered) -> None:
        self._replies[account, key] = remembered
        self._ages.append((remembered.time, account, key))

    def _sweep(self, now: int) -> None:
        """Forget what is too old or too much, a few at a time: each new key makes room for some.

        What is too old does not answer any more in any case, so this decides nothing.
        """
        for _ in range(_SWEEP_AT_ONCE):
            oldest = self._ages[0][0]
            too_many = self._keep_count is not None and len(self._ages) > self._keep_count
            if oldest > now - KEEP_MS and not too_many:
                return
            time, account, key = self._ages.popleft()
            if self._replies[account, key].time == time:  # else it was used anew since
                del self._replies[account, key]

    def entries(self) -> Iterator[tuple[int, str, Remembered]]:
        """Everything remembered, oldest first."""
        for time, account, key in self._ages:
            remembered = self._replies[account, key]
            if remembered.time == time:
                yield account, key, remembered


def fingerprint(content: object) -> bytes:
    """Eight bytes that tell one command's content from another's."""
    return blake2b(_encode(content), digest_size=8).digest()
