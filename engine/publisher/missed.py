"""What an account's stream told after an event that its reader saw last, from the journal.

The stream's frames are made from the journal, so the same ones can be made of it again, for as long
as the entries stand there. `feed:numbers` says which event of the account was the newest when the
publisher came by; so whoever missed nothing is told so although the entry is long gone.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
import redis
from django.conf import settings

from engine.connections import connect
from engine.journal import JOURNAL_KEY, EncodedEntry, parse_entry
from engine.publisher import keys
from engine.publisher.feeds import FeedsState, state_scales
from engine.publisher.reader import FeedUnavailable
from engine.publisher.user_events import UserEvent, user_events, write_user_event

MAX_FRAMES: Final = 1_000
"""More than this is not told again: it is cheaper to begin anew."""

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of the journal, that is looked through for one reader."""

_PAGE: Final = 200

# Each search takes a share of the processor and of the journal's server: one at a time.
_searching: Final = threading.Lock()


class Missed(NamedTuple):
    """A frame of the account's stream, and the number of the newest event in it."""

    number: int
    text: str


class TooLongAgo(Exception):
    """Not all that was missed is there any more, or that event has never been."""


def read_missed(account: int, after: int) -> list[Missed]:
    """The frames after the event `after`, oldest first, up to the journal's end.

    Raises TooLongAgo, FeedUnavailable.
    """
    with _searching:
        try:
            return _read(account, after)
        except redis.RedisError as error:
            raise FeedUnavailable("the journal cannot be read") from error


def _read(account: int, after: int) -> list[Missed]:
    state, newest = _position(account)
    told = _search(account, after, state.sequence, newest)
    if len(told) > MAX_FRAMES:
        raise TooLongAgo
    now, scales = time.time_ns() // 1_000_000, state_scales(state)
    return [Missed(event.last, write_user_event(event, now, scales)) for event in told]


def _position(account: int) -> tuple[FeedsState, int]:
    """Where the publisher is, and the account's newest event there."""
    state, newest = _shared().pipeline().get(keys.STATE).hget(keys.NUMBERS, str(account)).execute()
    if state is None:
        raise FeedUnavailable("there is no publisher yet")
    return msgspec.json.decode(state, type=FeedsState), int(newest or 0)


def _search(account: int, after: int, position: int, newest: int) -> list[UserEvent]:
    """From the journal's end back to the event that follows on `after`."""
    told: deque[UserEvent] = deque()
    mark = str(account).encode()
    looked_through = 0
    for entry in _entries_backwards():
        if told and told[0].first <= after + 1:
            break
        if entry.sequence <= position and not told and newest <= after:
            break
        looked_through += len(entry.events)
        if looked_through > MAX_BYTES or len(told) > MAX_FRAMES:
            raise TooLongAgo
        if mark in entry.events or mark in entry.commands:  # which say who an accepted order is of
            told.extendleft(reversed(_events_of(account, entry)))
    first, last = (told[0].first, told[-1].last) if told else (newest + 1, newest)
    if not first <= after + 1 <= last + 1:
        raise TooLongAgo
    return [event for event in told if event.last > after]


def _events_of(account: int, entry: EncodedEntry) -> list[UserEvent]:
    return [
        told
        for events in entry.decode_events()
        for told in user_events(events, entry.time)
        if told.account == account
    ]


def _entries_backwards() -> Iterator[EncodedEntry]:
    before = "+"
    while page := _journal().xrevrange(JOURNAL_KEY, max=before, count=_PAGE):
        for stream_id, fields in page:
            yield parse_entry(stream_id, fields)
        before = "(" + page[-1][0].decode()


@lru_cache(maxsize=1)
def _journal() -> Any:
    return connect(settings.ENGINE_REDIS_URL)


@lru_cache(maxsize=1)
def _shared() -> Any:
    return connect(settings.REDIS_URL)
