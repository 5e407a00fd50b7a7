"""`make profile [PART=web] [LOAD=lists]`: flame graphs of parts under load, in docs/profiles/.

A whole exchange is loaded as fast as it goes, and py-spy looks at one of its parts 200 times a
second, at the thread that holds the interpreter's lock. So it sees what Python does and what is
called from it, but neither waiting nor what is done without the lock. Of the engine, whose core is
compiled, machine code's frames are shown too. Beside each graph stands the same as text, in
microseconds of the processor for one order.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import django

from bench.exchanges import rich_users, running_exchange
from bench.flames import outline
from bench.load.plan import Plan
from bench.load.running import Run, figures
from bench.load.running import run as run_plan
from bench.parts import PARTS, processes_of_parts
from bench.servers import ROOT

FOLDER: Final = ROOT / "docs" / "profiles"


class Load(NamedTuple):
    said: str
    plan: dict[str, Any]
    """But for the exchange."""


LOADS: Final = {
    "single": Load(
        "one by one over the WebSocket API", {"way": "ws", "connections": 4, "under_way": 20}
    ),
    "lists": Load(
        "in lists of 20 over the WebSocket API",
        {"way": "ws", "connections": 4, "under_way": 4, "together": 20},
    ),
    "rest": Load("one by one over REST", {"way": "rest", "connections": 8}),
}

KEPT: Final = (
    ("web", "single"),
    ("web", "lists"),
    ("web", "rest"),
    ("engine", "lists"),
    ("publisher", "lists"),
    ("projector", "lists"),
)
"""What is in docs/profiles/."""

COMPILED: Final = ("engine",)

SECONDS: Final = 10.0
WARM_UP_S: Final = 2.0
SAMPLES_A_SECOND: Final = 200
STREAMS: Final = ["trade", "bookTicker", "depth@100ms"]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.profile")
    parser.add_argument("--part", choices=sorted(PARTS))
    parser.add_argument("--load", choices=sorted(LOADS))
    chosen = parser.parse_args(argv)
    pairs = [
        (part, load)
        for part, load in KEPT
        if chosen.part in (None, part) and chosen.load in (None, load)
    ] or [(chosen.part or "web", chosen.load or "lists")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    django.setup()
    FOLDER.mkdir(exist_ok=True)
    for part, load in pairs:
        print(f"profile: {part} under {load}", file=sys.stderr)
        profile(part, load)
    return 0


def profile(part: str, load: str) -> None:
    """Of a fresh exchange, whose streams ten sockets watch."""
    graph = FOLDER / f"{part.replace(' ', '-')}-{load}.svg"
    with running_exchange() as exchange:
        plan = Plan(
            url=exchange.url,
            users=rich_users(exchange),
            seconds=WARM_UP_S + SECONDS,
            followers=10,
            streams=STREAMS,
            **LOADS[load].plan,
        )
        [process, *_] = processes_of_parts(exchange.supervisor)[part]
        with _spy(part, process, graph) as spy:
            run = run_plan(plan, exchange.supervisor)
        if spy.returncode:
            raise SystemExit("py-spy may not look: it wants root, or kernel.yama.ptrace_scope=0")
    _as_text(graph, run, part, load)


def _spy(part: str, process: int, graph: Path) -> "subprocess.Popen[bytes]":
    """Its command line becomes the graph's title, so there are no paths of this machine in it."""
    what = ("--pid", str(process), "--gil", "--function", "--output", graph.name)
    pace = ("--duration", f"{SECONDS:.0f}", "--rate", str(SAMPLES_A_SECOND))
    argv = ["py-spy", "record", *what, *pace, *(("--native",) if part in COMPILED else ())]
    return subprocess.Popen(
        argv,
        executable=Path(sys.executable).parent / "py-spy",
        cwd=graph.parent,
        stderr=subprocess.DEVNULL,
    )


def _as_text(graph: Path, run: Run, part: str, load: str) -> None:
    said = figures(run)
    cost_us = said["cpu_us_an_order"][part]
    head = (
        f"{part}, while orders come {LOADS[load].said} and 10 sockets watch {', '.join(STREAMS)}:\n"
        f"{said['answered_a_second']:,} orders/s, {cost_us:.0f} µs of its processor an order.\n\n"
        "   µs an order  share\n"
    )
    lines = outline(graph.read_text(), cost_us)
    graph.with_suffix(".txt").write_text(head + "".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
