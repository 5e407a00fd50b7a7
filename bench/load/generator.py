"""`python -m bench.load.generator`: the process that makes the load.

It reads a plan, says `ready` when everything is connected, begins when it is told so with another
line, says the report, and ends when there are no more lines: until then its memory can be seen.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Final

import msgspec
import uvloop

from bench.load.api_sockets import api_sockets
from bench.load.followers import Audience, followers
from bench.load.http import http_connections
from bench.load.pacing import Connection, Pacer
from bench.load.plan import Plan, Report, encoded, histogram
from exchange_site.part import take_short_turns

QUIET_S: Final = 1.0
"""Followers listen until they have heard nothing for so long: depth is up to an interval behind,
and the publisher may be, too."""


async def generate(plan: Plan) -> Report:
    pacer, audience = Pacer(plan.rate / plan.together, plan.seconds), Audience()
    connect = api_sockets if plan.way == "ws" else http_connections
    connections: Sequence[Connection] = await connect(plan, pacer)
    watching = await followers(plan, audience)
    await _told_to_begin()
    used = time.process_time()
    await pacer.run(connections, plan.under_way)
    used = time.process_time() - used
    if watching:
        await _quiet(audience)
    return Report(
        answered=pacer.placed,
        refused=pacer.refused,
        unknown=pacer.unknown + pacer.unanswered * plan.together,
        unsent=pacer.unsent * plan.together,
        sold=pacer.sold,
        bought=pacer.placed - pacer.sold,
        seconds=pacer.last - pacer.started,
        latencies=encoded(histogram(pacer.latencies_us)),
        cpu_s=used,
        behind_us=round(pacer.behind_s * 1_000_000),
        told={stream: audience.told(stream) for stream in plan.streams},
        gaps={stream: audience.gaps_of(stream) for stream in plan.streams},
        closed=audience.closed,
    )


async def _quiet(audience: Audience) -> None:
    heard = -1
    while heard != audience.heard:
        heard = audience.heard
        await asyncio.sleep(QUIET_S)


async def _told_to_begin() -> None:
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def main() -> None:
    take_short_turns()  # its own wait for a processor is none of the exchange's
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    report = uvloop.run(generate(plan))
    # A buffered file of its own: an unbuffered sys.stdout may write a part and forget the rest.
    with open(sys.stdout.fileno(), "wb", closefd=False) as output:
        output.write(msgspec.json.encode(report) + b"\n")
    sys.stdin.readline()


if __name__ == "__main__":
    main()
