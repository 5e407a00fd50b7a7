"""Recorded frames for tests: an excerpt that is always there, and a whole recording that may be.

The whole one is not part of the project: `EXCHANGE_RECORDING` says where it is.
"""

import gzip
import os
from functools import lru_cache
from pathlib import Path
from typing import Final

import pytest

EXCERPT: Final = Path(__file__).parent / "data" / "binance-spot-excerpt.txt"

WHOLE: Final = os.environ.get("EXCHANGE_RECORDING", "")

needs_whole: Final = pytest.mark.skipif(
    not WHOLE, reason="EXCHANGE_RECORDING does not name binance-spot-btcusdt-20240808.gz"
)


@lru_cache(maxsize=1)
def excerpt() -> list[bytes]:
    return EXCERPT.read_bytes().splitlines(keepends=True)


@lru_cache(maxsize=1)
def whole() -> list[bytes]:
    with gzip.open(WHOLE) as lines:
        return list(lines)
