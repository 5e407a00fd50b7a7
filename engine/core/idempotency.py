"""The first reply to a key answers every repetition of its command.

Keys belong to an account. They are kept for 24 hours, and the newest million of them; after that
the orders table knows (`markets/selectors.py`).
"""

from collections import deque
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from engine.core.rejections import Code
from engine.core.replies import Refused, Reply

KEEP_MS: Final = 24 * 60 * 60 * 1000
KEEP_COUNT: Final = 1_000_000
_EXPIRE_AT_ONCE: Final = 1_000

_encode: Final = msgspec.json.Encoder().encode
_decode_reply: Final = msgspec.json.Decoder(Reply).decode


class Remembered(NamedTuple):
    """`reply` is kept encoded: a third of the memory."""

    fingerprint: bytes
    reply: bytes
    time: int


class Idempotency:
    def __init__(self, keep_count: int = KEEP_COUNT) -> None:
        self._keep_count = keep_count
        self._replies: dict[tuple[int, str], Remembered] = {}
        self._ages: deque[tuple[int, str]] = deque()
        """Keys, oldest first."""

    def __len__(self) -> int:
        return len(self._replies)

    def recall(self, account: int, key: str, content: object) -> Reply | None:
        """The first reply to this key; a refusal where the key stood for other content."""
        remembered = self._replies.get((account, key))
        if remembered is None:
            return None
        if remembered.fingerprint != fingerprint(content):
            return Refused(Code.KEY_REUSED, "this key was used for something else before")
        reply: Reply = _decode_reply(remembered.reply)
        return reply

    def remember(self, account: int, key: str, content: object, reply: Reply, now: int) -> None:
        self.restore(account, key, Remembered(fingerprint(content), _encode(reply), now))
        if len(self._ages) > self._keep_count:
            self._forget_oldest()

    def restore(self, account: int, key: str, remembered: Remembered) -> None:
        self._replies[account, key] = remembered
        self._ages.append((account, key))

    def expire(self, now: int) -> None:
        """Forget what is older than a day; a bounded part of it each time."""
        for _ in range(_EXPIRE_AT_ONCE):
            if not self._ages or self._replies[self._ages[0]].time > now - KEEP_MS:
                return
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        del self._replies[self._ages.popleft()]

    def entries(self) -> Iterator[tuple[int, str, Remembered]]:
        """Everything remembered, oldest first."""
        for account, key in self._ages:
            yield account, key, self._replies[account, key]


def fingerprint(content: object) -> bytes:
    """Eight bytes that tell one command's content from another's."""
    return blake2b(_encode(content), digest_size=8).digest()
