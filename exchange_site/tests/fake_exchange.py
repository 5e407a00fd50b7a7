"""A small exchange for the supervisor's tests: real servers and processes, parts of one line.

`python -m exchange_site.tests.fake_exchange HOME [PORT]`
"""

import sys
from pathlib import Path

from exchange_site.part import Part
from exchange_site.servers.home import ExchangeHome
from exchange_site.servers.valkey import engine_valkey
from exchange_site.supervisor.run import run
from exchange_site.supervisor.supervisor import Plan


def shell(name: str, script: str, *, stop_seconds: float = 5.0) -> Part:
    return Part(name, ("/bin/sh", "-c", script), stop_seconds=stop_seconds)


def main() -> int:
    home = ExchangeHome(Path(sys.argv[1]))
    stopped = home.path / "stopped"
    plan = Plan(
        home=home,
        servers=[engine_valkey(home)],
        setup=[shell("setup", "echo set up")],
        parts=[
            shell(
                "steady",
                f"trap 'echo steady >> {stopped}; exit' TERM; echo $$;"
                " while :; do sleep 0.05; done",
            ),
            # With a child, and deaf to requests.
            shell("stubborn", "trap '' TERM; sleep 1000 & echo $$ $!; wait", stop_seconds=0.2),
            shell("failing", "echo started; exit 3"),
        ],
        afterwards=[shell("afterwards", "echo the password is 1234")],
        port=int(sys.argv[2]) if len(sys.argv) > 2 else None,
        ready="fake exchange ready",
    )
    return run(plan)


if __name__ == "__main__":
    sys.exit(main())
