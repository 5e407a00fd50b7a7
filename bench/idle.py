"""What an exchange needs that nobody uses: the demo, with its market maker, for a minute."""

import time
from collections.abc import Iterator
from typing import Any

from bench.exchanges import running_exchange
from bench.parts import cpu_s, memory_bytes, processes_of_parts

SECONDS = 60
MB = 1_000_000


def run() -> Iterator[dict[str, Any]]:
    with running_exchange(demo=True) as exchange:
        time.sleep(SECONDS / 3)  # what a start costs is over
        before = {name: cpu_s(p) for name, p in processes_of_parts(exchange.supervisor).items()}
        started = time.monotonic()
        time.sleep(SECONDS)
        parts = processes_of_parts(exchange.supervisor)
        seconds = time.monotonic() - started
        cores = {name: (cpu_s(p) - before.get(name, 0.0)) / seconds for name, p in parts.items()}
        memory = {name: memory_bytes(p) / MB for name, p in parts.items()}
    yield {
        "bench": "idle",
        "value": round(sum(cores.values()), 3),
        "unit": "cores",
        "what": "that an exchange with the demo's market maker needs",
        "pss_mb": round(sum(memory.values())),
        "cores_a_part": {name: round(share, 3) for name, share in cores.items()},
        "pss_mb_a_part": {name: round(size, 1) for name, size in memory.items()},
    }
