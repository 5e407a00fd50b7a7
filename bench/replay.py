"""The recording `EXCHANGE_RECORDING` of the environment, played into a fresh exchange.

Afterwards its book must be the recorded one, and all balances must sum to zero.
"""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bench.exchanges import running_exchange


def run() -> Iterator[dict[str, Any]]:
    recording = os.environ.get("EXCHANGE_RECORDING")
    if not recording:
        raise SystemExit("make bench BENCH=replay EXCHANGE_RECORDING=FILE (see docs/REPLAY.md)")
    with running_exchange() as exchange:
        played = json.loads(exchange.manage("replay", os.path.abspath(recording)))
        assets = exchange.state()["assets"]
    assert played["mismatched_levels"] == 0, played
    assert all(Decimal(asset["sum"]) == 0 for asset in assets.values())
    yield {
        "bench": "replay",
        "value": round(played["orders_per_second"]),
        "unit": "orders/s",
        "what": "of a recorded market played at full speed",
        **played,
        "sums": {name: asset["sum"] for name, asset in assets.items()},
    }
