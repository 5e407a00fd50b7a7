"""A socket whose client never reads, while its stream carries thirty megabytes.

Another socket of the stream must get every message, and the stalled one be dropped.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from bench.exchanges import running_exchange
from realtime.tests.stalled import CHARACTERS, load_beside_a_stalled_reader

MB = 1_000_000


def run() -> Iterator[dict[str, Any]]:
    with running_exchange() as exchange:
        load = asyncio.run(load_beside_a_stalled_reader(exchange))
    yield {
        "bench": "stalled",
        "value": round((load.highest - load.before) / MB, 1),
        "unit": "MB",
        "what": "that the web process grew by beside a reader that stalls",
        "before_mb": round(load.before / MB, 1),
        "highest_mb": round(load.highest / MB, 1),
        "sent_mb": round(load.received * CHARACTERS / MB, 1),
        "received_by_the_other": load.received,
    }
