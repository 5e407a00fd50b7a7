"""What whoever takes the lease asks of the witnesses, in the little time that it has.

They were asked when it loaded its state. A standby may have done that days ago, and the journal may
have lost since what others have seen. Trading needs no database, though: who does not answer in
time is not waited for.
"""

import logging
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Final

from django.db import DatabaseError, connections

from engine.worker.loader import check_witness
from engine.worker.ports import Stream, Witness

PATIENCE_S: Final = 0.5
"""Half of the lease."""

_log = logging.getLogger(__name__)


def check_at_takeover(
    stream: Stream, testify: Callable[[], Iterable[Witness]], *, patience_s: float = PATIENCE_S
) -> None:
    """Raises JournalBroken where the stream does not hold what somebody has seen of it.

    `testify` is asked in a thread, which may stay behind where a server hangs; whoever answered by
    then is heard.
    """
    heard: list[Witness] = []

    def listen() -> None:
        try:
            for witness in testify():
                heard.append(witness)
        except DatabaseError as error:
            _log.warning("PostgreSQL does not answer, and bears no witness: %s", error)
        finally:
            connections.close_all()

    thread = Thread(target=listen, name="witnesses", daemon=True)
    thread.start()
    thread.join(patience_s)
    if thread.is_alive():
        _log.warning("leading without those witnesses that do not answer in %g s", patience_s)
    for witness in list(heard):
        check_witness(stream, witness)
