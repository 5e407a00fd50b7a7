"""The whole journal: what stands in the stream, and what was trimmed from it, of the archive."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from engine.journal import EncodedEntry
from engine.worker.ports import Records, Stream
from engine.worker.recovery import JournalGap

PAGE_ENTRIES: Final = 50


class History:
    def __init__(self, stream: Stream, records: Records) -> None:
        self._stream = stream
        self._records = records

    def read_after(self, sequence: int) -> Iterator[EncodedEntry]:
        """Every entry after `sequence`, without a gap. Raises JournalGap.

        What is trimmed meanwhile is read from the archive, for only what is there is trimmed.
        """
        while page := self._page(sequence):
            for entry in page:
                if entry.sequence != sequence + 1:
                    raise _gap(sequence, entry.sequence)
                yield entry
                sequence = entry.sequence

    def read_trimmed_after(self, sequence: int) -> Iterator[EncodedEntry]:
        """As `read_after`, up to where the stream begins."""
        first = next(self._stream.read_after(0), None)
        if first is not None and first.sequence > sequence + 1:
            yield from islice(self.read_after(sequence), first.sequence - sequence - 1)

    def _page(self, sequence: int) -> list[EncodedEntry]:
        page = list(islice(self._stream.read_after(sequence), PAGE_ENTRIES))
        if page and page[0].sequence == sequence + 1:
            return page
        return list(islice(self._records.read_archive_after(sequence), PAGE_ENTRIES)) or page


def _gap(sequence: int, found: int) -> JournalGap:
    return JournalGap(
        f"the journal goes on at entry {found} after entry {sequence}: neither the stream nor the "
        "archive holds what is missing. Restore the engine's Redis, or PostgreSQL, from a backup "
        "that does."
    )
