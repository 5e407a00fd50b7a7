"""The tests of `/api/v3` trade in one market, one file after the other."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def _alone(alone: None) -> None:
    pass
