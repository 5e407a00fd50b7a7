"""How long a part that died has to wait."""

import pytest

from exchange_site.supervisor.backoff import Backoff


@pytest.mark.parametrize(
    ("runs_s", "delays_s"),
    [
        ([0], [0.1]),
        ([0, 0, 0, 0], [0.1, 0.2, 0.4, 0.8]),
        ([0] * 9, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]),
        ([0, 0, 60, 0], [0.1, 0.2, 0.1, 0.2]),
        ([60, 60], [0.1, 0.1]),
    ],
)
def test_delays(runs_s: list[float], delays_s: list[float]) -> None:
    backoff = Backoff()
    assert [backoff.delay_after(ran_s) for ran_s in runs_s] == pytest.approx(delays_s)


def test_what_was_killed_comes_back_at_once() -> None:
    backoff = Backoff()
    assert [backoff.delay_after(1, killed=True) for _ in range(9)] == [0.1] * 9
    assert [backoff.delay_after(0) for _ in range(2)] == pytest.approx([0.1, 0.2])
    assert backoff.delay_after(2, killed=True) == 0.1
    assert backoff.delay_after(0, killed=True) == pytest.approx(0.4), "killed while it starts"
    assert backoff.delay_after(60, killed=True) == 0.1
    assert backoff.delay_after(0) == pytest.approx(0.1), "a long run makes up for what was before"
