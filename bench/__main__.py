"""`make bench [BENCH=name]`: one JSON object a line."""

import importlib
import json
import sys

BENCHES = ("core", "engine", "projector", "rest")
BY_NAME_ONLY = ("recovery",)
"""Those that take minutes."""


def main(names: list[str]) -> int:
    known = (*BENCHES, *BY_NAME_ONLY)
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such bench: {unknown[0]}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or BENCHES:
        for result in importlib.import_module(f"bench.{name}").run():
            print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
