"""When requests are sent, and that waiting counts."""

import asyncio

import pytest

from bench.load.pacing import Outcome, Pacer

PLACED = Outcome(placed=1, refused=0, unknown=0, sells=True)


STALL_S = 0.5


class Server:
    """A connection and who serves it: everything at once, or from one request on nothing for
    STALL_S, and then everything."""

    def __init__(self, pacer: Pacer, *, stalls_after: int | None = None) -> None:
        self._pacer = pacer
        self._stalls_after = stalls_after
        self._served = 0
        self.under_way: list[float] = []
        self.most_under_way = 0

    def send(self, intended: float) -> None:
        self.under_way.append(intended)
        self.most_under_way = max(self.most_under_way, len(self.under_way))
        asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        if self._served == self._stalls_after:
            self._stalls_after = -1
            asyncio.get_running_loop().call_later(STALL_S, self._wake)
        elif self._stalls_after != -1 and self.under_way:
            self.answer()

    def _wake(self) -> None:
        self._stalls_after = None
        while self.under_way:
            self.answer()

    def answer(self) -> None:
        self._served += 1
        self._pacer.answered(self, self.under_way.pop(0), PLACED)


@pytest.mark.parametrize("under_way", [1, 100])
async def test_a_stall_is_felt_by_all_who_were_to_be_served_meanwhile(under_way: int) -> None:
    rate, requests, before = 200.0, 100, 20
    pacer = Pacer(rate, requests / rate)

    await pacer.run([Server(pacer, stalls_after=before)], under_way)

    assert len(pacer.latencies_us) == pacer.placed == requests
    # Each of them waited at least from its own time to that of the last one.
    for after, latency_us in enumerate(sorted(pacer.latencies_us)[before:]):
        assert latency_us >= after / rate * 1e6, after


async def test_a_closed_loop_keeps_as_many_under_way_as_it_may() -> None:
    pacer = Pacer(0, 0.5)
    servers = [Server(pacer), Server(pacer)]

    await pacer.run(servers, 3)

    assert [server.most_under_way for server in servers] == [3, 3]
    assert not any(server.under_way for server in servers)
    assert pacer.sold == pacer.placed == len(pacer.latencies_us) > 6


async def test_what_is_never_answered_has_waited_until_the_end() -> None:
    pacer = Pacer(100, 0.1, patience_s=0.1)

    await pacer.run([Server(pacer, stalls_after=4)], 1)

    assert (pacer.placed, pacer.unanswered, pacer.unsent) == (4, 1, 5)
    assert len(pacer.latencies_us) == 10
    assert sum(latency_us >= 100_000 for latency_us in pacer.latencies_us) >= 6


async def test_outcomes_are_counted_by_kind() -> None:
    pacer = Pacer(100, 0.02)
    outcomes = iter([Outcome(3, 1, 0, sells=False), Outcome(2, 0, 2, sells=True)])

    class Mixed(Server):
        def answer(self) -> None:
            pacer.answered(self, self.under_way.pop(0), next(outcomes))

    await pacer.run([Mixed(pacer)], 1)

    assert (pacer.placed, pacer.sold, pacer.refused, pacer.unknown) == (5, 2, 1, 2)
