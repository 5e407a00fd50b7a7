"""Some hundred worlds, and the bugs that must be found in them. `make simulate` plays many more."""

import pytest

from simulation.planted import BUGS
from simulation.world import World

FAILED_ONCE = [78, 198, 315, 654, 1145]
"""Seeds that failed until something was mended: here, or in the simulation itself."""

FOUND_BY = {
    "commit-order-swapped": (0, "was accepted, and never done"),
    "fence-missing": (6, "is not the leader's"),
    "tail-check-left-out": (6, "stands behind"),
    "trim-before-archive": (8, "was trimmed before it was archived"),
    "reply-before-commit": (0, "a reply speaks of"),
    "connection-that-retries": (106, "was refused, and takes effect"),
    "snapshot-without-tail": (0, "the journal ends at"),
    "takeover-unasked": (616, "entry 10 follows 10"),
    "keys-forgotten": (23, "entry 18 does not replay"),
    "clock-backwards": (2, "time runs backwards"),
    "half-applied-command": (0, "does not replay"),
    "position-before-rows": (23, "neither the stream nor the archive"),
    "frames-before-store": (29, "was sent in two versions"),
}
"""A seed that finds it, and what is said then."""


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_no_promise_is_broken(first: int) -> None:
    for seed in range(first, first + 50):
        World(seed).run()


@pytest.mark.parametrize("seed", FAILED_ONCE)
def test_what_was_mended_stays_mended(seed: int) -> None:
    World(seed).run()


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str) -> None:
    seed, said = FOUND_BY[name]
    with pytest.raises(Exception, match=said):
        World(seed, BUGS[name]).run()


def test_a_seed_means_one_world() -> None:
    worlds = [World(3), World(3)]
    for world in worlds:
        world.run()
    one, other = worlds
    assert one.judge.reference.digest == other.judge.reference.digest
    assert one.judge.answers == other.judge.answers
    assert one.hours.elapsed_ms == other.hours.elapsed_ms
