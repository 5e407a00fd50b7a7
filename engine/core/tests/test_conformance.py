"""The public suite tracebook-conformance: another engine says what a price-time book does.

All its fixtures that apply, and traces that it generates from seeds. After each step the outcome,
the trades and every queue, order by order, are the same.
"""

from importlib.resources import files
from pathlib import Path

import pytest
import tracebook.conformance
from tracebook.conformance import (
    BUNDLED_SUITE_VERSIONS,
    SuiteCase,
    campaign_profile_names,
    generate_campaign_trace,
    get_campaign_profile,
    load_conformance_suite,
    run_conformance,
)

from engine.core.tests.conformance.adapter import EngineAdapter

FIXTURES = Path(str(files(tracebook.conformance))) / "fixtures"
CASES = {
    f"{version}-{case.name}": case
    for version in BUNDLED_SUITE_VERSIONS
    for case in load_conformance_suite(FIXTURES / version).cases
}

NOT_OURS = {
    # Shares a trade out over a level by size; this exchange matches by price and time alone.
    "v1-pro-rata-allocation",
    "v2-pro-rata-allocation",
}


@pytest.mark.parametrize("name", sorted(CASES.keys() - NOT_OURS))
def test_fixture(name: str) -> None:
    case: SuiteCase = CASES[name]
    report = run_conformance(case.load_events(), EngineAdapter, case.config, name)
    assert report.divergence is None
    assert report.conformant


def test_the_fixtures_left_out_are_pro_rata() -> None:
    others = {name for name, case in CASES.items() if case.config.matching_algorithm != "fifo"}
    assert others == NOT_OURS


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("profile", campaign_profile_names())
def test_generated_trace(profile: str, seed: int) -> None:
    events = generate_campaign_trace(profile, seed, 100)
    config = get_campaign_profile(profile).config
    report = run_conformance(events, EngineAdapter, config, f"{profile}-{seed}")
    assert report.divergence is None
    assert report.conformant
