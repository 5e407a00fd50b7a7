"""The loop that turns waiting commands into journal entries and replies.

    peek -> apply in memory -> commit (lease, tail, journal, queue: one script) -> publish replies

No command leaves the queue before it stands in the journal, and no reply leaves before that
either. While Redis writes one batch to disk, the next one is applied in memory already, if it
waits; its commit and its replies come after. After any error the memory is worth nothing: the
process ends, and its successor recovers from the journal.
"""

import logging
import time
from collections.abc import Callable
from itertools import islice
from typing import Final

from engine.intake import LOOK_EVERY_S
from engine.journal import EncodedEntry
from engine.presence import ANNOUNCE_EVERY_S
from engine.worker.batch import Batch
from engine.worker.ports import Clock, Store
from engine.worker.recovery import JournalBroken, JournalGap, Replica
from engine.worker.suspects import CommandFailed, Suspects

MAX_BATCH: Final = 128
"""Commands per journal entry at most: they share one fsync, and what they bring about stays in the
processor's cache until it is written."""

IDLE_MS: Final = 333
"""A third of the lease: an idle engine renews it about three times."""

WAIT_FOR_LEASE_S: Final = 0.02

FOLLOW_AT_ONCE: Final = 50
"""Entries that are replayed before a standby asks for the lease again."""

_log = logging.getLogger(__name__)


class Worker:
    """One engine process, from taking the lease to handing it back."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        load: Callable[[], Replica] = Replica,
        monotonic: Callable[[], float] = time.monotonic,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """`load` makes the replica that the journal is replayed on, as new as it can be had.
        `monotonic`, in seconds, says when housekeeping is due. `check` raises JournalBroken where
        the journal does not hold what somebody has seen of it; whoever takes the lease asks."""
        self._store = store
        self._monotonic = monotonic
        self._clock = clock
        self._load = load
        self._check = check
        self._replica = load()
        self._announced = self._regulated = self._renewed = float("-inf")
        self._epoch = 0
        self._suspects = Suspects({}, patience=0)
        self._in_flight: dict[str, bytes] | None = None
        """The replies to the batch whose commit has begun, by client."""

    def run(self, should_stop: Callable[[], bool], *, standby: bool = False) -> None:
        """Lead until told to stop. Raises whatever makes the memory worthless.

        A standby follows the journal already while it waits for the lease.
        """
        try:
            self._serve(should_stop, standby=standby)
        except (CommandFailed, JournalBroken):
            # Nothing is in flight, and what the successors must know is noted: they need not wait.
            self._store.release()
            raise

    def _serve(self, should_stop: Callable[[], bool], *, standby: bool) -> None:
        while not self.lead():
            if should_stop():
                self._store.release()
                return
            if not (standby and self.stand_by()):
                time.sleep(WAIT_FOR_LEASE_S)
        self.recover(should_stop)
        waiting = self._store.peek(self._limit)
        while not should_stop():
            waiting = self.step(waiting or self._store.wait(self._limit, self._patience_ms()))
        if self._in_flight is not None:
            self._answer()
        self._store.release()

    def lead(self) -> bool:
        """Try to take the lease. That raises the epoch, before anything is read or written."""
        epoch = self._store.acquire()
        if epoch is None:
            return False
        self._epoch = epoch
        self._renewed = self._monotonic()
        _log.info("leading in epoch %d", epoch)
        return True

    def stand_by(self) -> bool:
        """Follow the journal a little further; whether there may be more at once."""
        followed = self._follow_some()
        if self._monotonic() - self._announced > ANNOUNCE_EVERY_S:
            self._store.announce(self._replica.sequence)
            self._announced = self._monotonic()
        return followed >= FOLLOW_AT_ONCE

    def _follow_some(self) -> int:
        """How many entries the replica moved on: few, so that neither the lease nor a request to
        stop waits for long. Who fell behind what the journal still holds loads anew."""
        before = self._replica.sequence
        try:
            for entry in islice(self._store.read_after(before), FOLLOW_AT_ONCE):
                self._replica.apply(entry)
                self._renew_in_time()
        except JournalGap:
            loaded = self._load()
            if loaded.sequence <= self._replica.sequence:
                raise
            self._replica = loaded
            _log.warning("fell behind the journal: loaded entry %d", loaded.sequence)
        return self._replica.sequence - before

    def _renew_in_time(self) -> None:
        """While a leader recovers nothing else renews its lease."""
        if self._epoch and self._monotonic() - self._renewed > IDLE_MS / 1000:
            self._store.renew()
            self._renewed = self._monotonic()

    def recover(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Replay the journal; the lease is renewed meanwhile, so that nobody else starts.

        The last entry is answered once more, since its author may have died before it could.
        """
        started = self._monotonic()
        self._check()
        self._renew_in_time()
        while self._follow_some():
            if should_stop():
                return
        self._clock.not_before(self._replica.engine.time)
        self._store.begin_publish(self._replica.last_replies(), MAX_BATCH)
        self._store.finish_publish()
        self._suspects = Suspects(self._store.suspects(), patience=2 * MAX_BATCH)
        seconds = self._monotonic() - started
        _log.info("recovered to entry %d in %.2f s", self._replica.sequence, seconds)

    def step(self, messages: list[bytes]) -> list[bytes]:
        """Apply one batch and commit it. Returns what waits by then.

        Where more is waiting the commit is left in flight, and answered by the next step.
        """
        limit = self._limit
        batch = self._begin_batch()
        entry, applied = self._apply(batch, messages)
        is_more_waiting = applied < len(messages) or len(messages) == limit
        messages = messages[:applied]
        verdict = self._suspects.settle(messages, self._replica.sequence, batch.time)
        is_answering = self._in_flight is not None
        if is_answering:
            self._begin_answer(skip=len(messages))
        # Encoded now, while all of it is at hand in the processor's cache and Redis has the last
        # batch's to send.
        replies = batch.replies()
        if is_answering:
            waiting = self._finish_answer()
        elif is_more_waiting:
            waiting = self._store.peek(self._limit, skip=len(messages))
        else:
            waiting = []
        self._store.begin_commit(entry, len(messages), verdict)
        self._in_flight = replies
        return waiting or self._answer()

    @property
    def _limit(self) -> int:
        """Messages in the next batch at most."""
        return 1 if self._suspects else MAX_BATCH

    def _begin_batch(self) -> Batch:
        replica = self._replica
        now = max(self._clock.now_ms(), replica.engine.time)
        return Batch(replica.engine, replica.sequence, now)

    def _apply(self, batch: Batch, messages: list[bytes]) -> tuple[EncodedEntry | None, int]:
        """The entry to journal, and how many messages it took.

        Raises CommandFailed once it is noted which message failed.
        """
        try:
            condemned = self._suspects.condemned if self._suspects else None
            applied = batch.apply_all(messages, condemned)
            entry = batch.entry(self._epoch, self._replica.digest)
        except Exception as error:
            self._accuse(batch, messages, error)
            raise CommandFailed(f"{type(error).__name__}: {error}") from error
        if entry is not None:
            self._replica.sequence, self._replica.digest = entry.sequence, entry.digest
        return entry, applied

    def _accuse(self, batch: Batch, messages: list[bytes], error: Exception) -> None:
        """Note what the engine failed on, for its successors. What is in flight comes first: it
        went well, and the store serves nothing else meanwhile."""
        if self._in_flight is not None:
            self._answer()
        if not batch.has_news and batch.applying is None:
            return  # the time itself: no message is to blame, and none can be put aside
        culprit = batch.applying
        if culprit is None and len(messages) == 1:
            culprit = messages[0]
        self._store.suspect(*self._suspects.accuse(culprit, error))

    def _answer(self) -> list[bytes]:
        """Wait for the commit in flight, then publish its replies. Returns what waits by then."""
        self._begin_answer(skip=0)
        return self._finish_answer()

    def _begin_answer(self, *, skip: int) -> None:
        assert self._in_flight is not None
        self._store.finish_commit()
        replies, self._in_flight = self._in_flight, None
        self._store.begin_publish(replies, self._limit, skip)

    def _finish_answer(self) -> list[bytes]:
        waiting = self._store.finish_publish()
        if self._monotonic() - self._regulated > LOOK_EVERY_S:
            self._store.regulate()
            self._regulated = self._monotonic()
        return waiting

    def _patience_ms(self) -> int:
        """How long to wait for commands: until the next deadline, or until the lease wants care."""
        deadline = self._replica.engine.next_deadline()
        if deadline is None:
            return IDLE_MS
        return min(IDLE_MS, max(1, deadline - self._clock.now_ms()))
