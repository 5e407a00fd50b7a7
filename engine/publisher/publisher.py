"""The loop that follows the journal and tells the world.

    read entries -> apply -> frames that are due -> store and publish (one script)

What is told at once (trades, best prices, an account's events) leaves with the entry that brought
it; depth, candles and tickers wait for their beat of 100 or 1000 ms. After any error the memory is
worth nothing: the process ends, and its successor goes on from the stored position.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any, Final, Protocol, TypeVar

import redis.asyncio

from engine.journal import EncodedEntry, read_after_async, tail_sequence_async
from engine.publisher.feeds import Due, Feeds, FeedsState, Frame, JournalGap
from engine.publisher.store import FeedStore, Message
from engine.publisher.streams import SPEEDS_MS, group_of

READ_ENTRIES: Final = 64
"""Entries of one step at most: under load they share one round of writing and sending."""

IDLE_MS: Final = 300
"""Less than a third of the lease."""

MAX_CHANNELS: Final = 20_000
"""Names that are remembered; every account's stream has one."""

REST_S: Final = 0.002
"""After each step, in which more entries gather: so a busy exchange has fewer steps."""

LATE_MS: Final = 10
"""How long an entry may be on its way: so long a beat waits for those of the time before it, unless
a later one has come."""

CLOSE_AFTER_MS: Final = 500
"""A candle is called closed that long after its end: an entry of its last moment may be late."""

_WHAT_TO_DO: Final = (
    "Put back its append-only file as it was; where that is lost, or another journal is meant, "
    "docs/FAILURES.md says what to do (restore_journal, forget_feeds)."
)

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class OtherJournal(Exception):
    """The journal is not the one, or not all of the one, that the feeds were made from."""


class Groups(Protocol):
    """The channel layer, as far as it is needed here."""

    def channel_of(self, group: str) -> str:
        """That of Redis, which carries the group's messages."""

    def serialize(self, message: dict[str, Any]) -> bytes: ...


class Past(Protocol):
    """What is kept of the journal besides the stream. The answers may take seconds."""

    async def newest_feeds(self) -> Feeds | None:
        """Of the newest good snapshot."""

    async def read_archive_after(self, sequence: int) -> list[EncodedEntry]:
        """Some archived entries after `sequence`, in order."""


class Publisher:
    """One publisher process, from taking the lease to handing it back."""

    def __init__(
        self,
        journal: "redis.asyncio.Redis",
        store: FeedStore,
        groups: Groups,
        past: Past,
        now_ms: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._store = store
        self._groups = groups
        self._past = past
        self._now_ms = now_ms
        self._feeds = Feeds()
        self._generation = ""
        self._next_beat = dict.fromkeys(SPEEDS_MS, 0)
        self._heard: set[str] = set()
        """Channels that somebody listened to when last asked."""
        self._channels: dict[str, str] = {}
        """By stream."""

    async def run(self, should_stop: Callable[[], bool]) -> None:
        """Lead until told to stop. Raises whatever makes the memory worthless."""
        while not await self._store.acquire():
            if should_stop():
                return
            await asyncio.sleep(0.05)
        await self.recover()
        while not should_stop():
            await self.step()
        await self._store.release()

    async def recover(self) -> None:
        """Go on where the stored state is. Without one, silently from the newest snapshot on, or
        from the journal's beginning. Raises JournalGap, and OtherJournal before anything is
        written: the stored position bears witness to what the journal held."""
        tail = await self._tail()
        stored = await self._store.load()
        if stored is not None:
            await self._check_journal(stored.feeds.state, tail)
        if stored is not None and await self._continues(stored.feeds.state.sequence, tail):
            self._feeds, self._generation = stored.feeds, stored.generation
            # Perhaps they never left. Whoever has them drops them.
            await self._store.publish_again(stored.messages)
            _log.info("going on at entry %d of %d", self._feeds.state.sequence, tail)
            return
        if stored is not None:
            _log.warning(
                "the journal was trimmed beyond the stored position, entry %d: beginning anew",
                stored.feeds.state.sequence,
            )
        await self._rebuild(tail)
        self._generation = await self._store.begin(self._feeds)

    async def _check_journal(self, seen: FeedsState, tail: int) -> None:
        """Raises OtherJournal unless it may hold all that was `seen`."""
        if seen.sequence > tail:
            raise OtherJournal(
                f"the feeds stand at entry {seen.sequence}, but the journal ends at entry {tail}. "
                "The engine's Redis lost its newest entries, or it is that of another exchange. "
                f"Nothing was written. {_WHAT_TO_DO}"
            )
        if not seen.sequence or not seen.digest:
            return
        found = await read_after_async(self._journal, seen.sequence - 1, count=1)
        if found and found[0].sequence == seen.sequence and found[0].digest != seen.digest:
            raise OtherJournal(
                f"the journal's entry {seen.sequence} is not the one that the feeds were made "
                f"from: it is another journal. Nothing was written. {_WHAT_TO_DO}"
            )

    async def _continues(self, position: int, tail: int) -> bool:
        if position == tail:
            return True
        following = await read_after_async(self._journal, position, count=1)
        return following[0].sequence == position + 1

    async def _rebuild(self, tail: int) -> None:
        newest: Feeds | None = await self._patiently(self._past.newest_feeds())
        self._feeds = newest or Feeds()
        await self._check_journal(self._feeds.state, tail)
        begun_at = self._feeds.state.sequence
        while self._feeds.state.sequence < tail:
            for entry in await self._read_anywhere():
                self._feeds.apply(entry, tell=False)
            await self._store.renew()
        self._feeds.tell_nothing()
        _log.info("rebuilt the feeds from entry %d to %d", begun_at, tail)

    async def _read_anywhere(self) -> list[EncodedEntry]:
        """Of the stream, or what was trimmed from it, of the archive."""
        position = self._feeds.state.sequence
        entries = await read_after_async(self._journal, position, count=READ_ENTRIES)
        if entries and entries[0].sequence == position + 1:
            return entries
        archived = await self._patiently(self._past.read_archive_after(position))
        if archived:
            return archived
        raise JournalGap(position, entries[0].sequence if entries else position)

    async def _patiently(self, question: Coroutine[Any, Any, _T]) -> _T:
        """The answer to what takes long; the lease is renewed meanwhile."""
        answer = asyncio.ensure_future(question)
        while not answer.done():
            await asyncio.wait((answer,), timeout=IDLE_MS / 1000)
            await self._store.renew()
        return answer.result()

    async def step(self) -> None:
        """One round: wait for entries or the next beat, store, send."""
        for entry in await self._read(block_ms=self._patience_ms()):
            self._feeds.apply(entry)
        now = self._now_ms()
        speeds = self._due(now)
        self._feeds.pass_time(now - CLOSE_AFTER_MS)
        await self._tell(now, speeds)
        await asyncio.sleep(REST_S)

    async def _tell(self, now: int, speeds: frozenset[int]) -> None:
        """What is optional is written where somebody listened the last time. The script that stores
        and publishes looks whether somebody listens to what was left out, and does nothing then:
        so nothing is missing for whoever subscribed before it."""
        messages: list[Message] = []
        unheard: dict[str, list[Due]] = {}
        for due in self._feeds.take_due(now, speeds):
            channel = self._channel(due.stream)
            if due.is_optional and channel not in self._heard:
                unheard.setdefault(channel, []).append(due)
            else:
                messages += self._messages(channel, due)
        while joined := await self._write(messages, unheard):
            for channel in joined:
                for due in unheard.pop(channel):
                    messages += self._messages(channel, due)

    async def _write(self, messages: list[Message], unheard: Collection[str]) -> list[str]:
        listeners = await self._store.write(self._feeds, messages, unheard)
        self._heard.update(listeners.joined)
        self._heard.difference_update(listeners.left)
        return listeners.joined

    def _channel(self, stream: str) -> str:
        channel = self._channels.get(stream)
        if channel is None:
            if len(self._channels) >= MAX_CHANNELS:
                self._channels.clear()
            channel = self._channels[stream] = self._groups.channel_of(group_of(stream))
        return channel

    def _messages(self, channel: str, due: Due) -> Iterator[Message]:
        return (Message(channel, self._serialize(frame)) for frame in due.write())

    def _serialize(self, frame: Frame) -> bytes:
        return self._groups.serialize(
            {
                "type": "feed.frame",
                "generation": self._generation,
                "stream": frame.stream,
                "first": frame.first,
                "last": frame.last,
                "text": frame.text,
            }
        )

    def _due(self, now: int) -> frozenset[int]:
        """The speeds whose beat has come. Beats lie on multiples of their length."""
        all_known = max(now - LATE_MS, self._feeds.state.time)
        due = frozenset(
            speed for speed, beat in self._next_beat.items() if now >= beat and all_known >= beat
        )
        for speed in due:
            self._next_beat[speed] = now - now % speed + speed
        return due

    def _patience_ms(self) -> int:
        beat = min(self._next_beat.values()) if self._feeds.batching() else IDLE_MS + self._now_ms()
        slowest = self._next_beat[max(SPEEDS_MS)]
        return max(1, min(IDLE_MS, min(beat, slowest) + LATE_MS - self._now_ms()))

    async def _read(self, *, block_ms: int | None) -> list[EncodedEntry]:
        position = self._feeds.state.sequence
        entries = await read_after_async(
            self._journal, position, count=READ_ENTRIES, block_ms=block_ms
        )
        if entries and entries[0].sequence != position + 1:
            raise JournalGap(position, entries[0].sequence)
        return entries

    async def _tail(self) -> int:
        return await tail_sequence_async(self._journal)
