"""`make simulate [SEEDS=n] [SEED=s] [BUG=name]`: says which seeds break a promise, and how to see
one of them again."""

import argparse
import logging
import os
import sys
import time
import traceback

import django


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.tests.settings")
    django.setup()
    logging.disable(logging.CRITICAL)  # the engines' obituaries: thousands of them
    from simulation.planted import BUGS
    from simulation.world import Parts, World

    parser = argparse.ArgumentParser(prog="simulation", description="Play worlds, one a seed.")
    parser.add_argument("--seeds", type=int, default=1_000, help="how many")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="only this one, with the traceback")
    parser.add_argument("--bug", choices=sorted(BUGS), help="planted: ends where it is found")
    options = parser.parse_args()
    parts = BUGS[options.bug] if options.bug else Parts()
    seeds = range(options.first, options.first + options.seeds)
    if options.seed is not None:
        seeds = range(options.seed, options.seed + 1)

    started = said = time.monotonic()
    failed: list[int] = []
    entries = answers = played = 0
    for seed in seeds:
        world = World(seed, parts)
        try:
            world.run()
        except Exception as broken:
            failed.append(seed)
            print(f"seed {seed}: {type(broken).__name__}: {broken}")
            bug = f" BUG={options.bug}" if options.bug else ""
            print(f"  again: make simulate SEED={seed}{bug}", flush=True)
            if options.seed is not None:
                traceback.print_exc()
        played += 1
        entries += world.judge.reference.sequence
        answers += world.judge.answers
        if options.bug and failed:
            break
        if time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"{played} of {len(seeds)} seeds, {len(failed)} failed", flush=True)
    seconds = time.monotonic() - started
    print(
        f"{played} seeds in {seconds:.1f} s: {entries} journal entries, {answers} answers, "
        f"{len(failed)} failed {failed if failed else ''}".rstrip()
    )
    if options.bug:
        print(f"{options.bug}: {'found' if failed else 'NOT FOUND'}")
        return 0 if failed else 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
