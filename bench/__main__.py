"""`make bench [BENCH=name]`: one JSON object a line; without a name, those that take a minute."""

import importlib
import json
import os
import sys

import django

BENCHES = (
    "core",
    "scale",
    "engine",
    "projector",
    "ws",
    "rest",
    "latency",
    "streams",
    "stalled",
    "takeover",
)
BY_NAME = ("follow", "idle", "page", "recovery", "replay", "soak")
"""They take minutes, a recording or a browser."""


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES + BY_NAME]
    if unknown:
        print(
            f"no such bench: {unknown[0]}; there are: {', '.join(BENCHES + BY_NAME)}",
            file=sys.stderr,
        )
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    django.setup()  # for what benches share with the tests
    for name in names or BENCHES:
        for result in importlib.import_module(f"bench.{name}").run():
            print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
