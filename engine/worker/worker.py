"""The loop that turns waiting commands into journal entries and replies.

    peek -> apply in memory -> commit (lease, tail, journal, queue: one script) -> publish replies

No command leaves the queue before it stands in the journal, and no reply leaves before that
either. After any error the memory is worth nothing: the process ends, and its successor recovers
from the journal.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from engine.worker.batch import Batch
from engine.worker.ports import Clock, Store
from engine.worker.recovery import Replica

MAX_BATCH: Final = 512
"""Commands per journal entry at most: hundreds share one fsync, and none waits for it long."""

IDLE_MS: Final = 333
"""A third of the lease: an idle engine renews it about three times."""

WAIT_FOR_LEASE_S: Final = 0.02

_log = logging.getLogger(__name__)


class Worker:
    """One engine process, from taking the lease to handing it back."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._replica = Replica()
        self._epoch = 0

    def run(self, should_stop: Callable[[], bool], *, standby: bool = False) -> None:
        """Lead until told to stop. Raises whatever makes the memory worthless.

        A standby replays the journal already while it waits for the lease.
        """
        while not self.lead():
            if should_stop():
                return
            if standby:
                self._replica.follow(self._store.read_after(self._replica.sequence))
            time.sleep(WAIT_FOR_LEASE_S)
        self.recover()
        waiting = self._store.peek(MAX_BATCH)
        while not should_stop():
            waiting = self.step(waiting or self._store.wait(MAX_BATCH, self._patience_ms()))
        self._store.release()

    def lead(self) -> bool:
        """Try to take the lease. That raises the epoch, before anything is read or written."""
        epoch = self._store.acquire()
        if epoch is None:
            return False
        self._epoch = epoch
        _log.info("leading in epoch %d", epoch)
        return True

    def recover(self) -> None:
        """Replay the journal; the lease is renewed meanwhile, so that nobody else starts."""
        started = renewed = time.monotonic()
        for entry in self._store.read_after(self._replica.sequence):
            self._replica.apply(entry)
            if time.monotonic() - renewed > IDLE_MS / 1000:
                self._store.renew()
                renewed = time.monotonic()
        seconds = time.monotonic() - started
        _log.info("recovered to entry %d in %.2f s", self._replica.sequence, seconds)

    def step(self, messages: list[bytes]) -> list[bytes]:
        """One batch: applied, committed, answered. Returns what waits by then."""
        replica = self._replica
        now = max(self._clock.now_ms(), replica.engine.time)
        batch = Batch(replica.engine, replica.sequence, now)
        batch.apply_all(messages)
        entry = batch.entry(self._epoch, replica.digest)
        self._store.commit(entry, len(messages))
        if entry is not None:
            replica.sequence, replica.digest = entry.sequence, entry.digest
        return self._store.publish(batch.replies(), MAX_BATCH)

    def _patience_ms(self) -> int:
        """How long to wait for commands: until the next deadline, or until the lease wants care."""
        deadline = self._replica.engine.next_deadline()
        if deadline is None:
            return IDLE_MS
        return min(IDLE_MS, max(1, deadline - self._clock.now_ms()))
