"""`python -m bench.load.generator`: a plan on standard input, a report on standard output."""

import asyncio
import hashlib
import hmac
import sys
import time
from typing import Any, Final

import msgspec
from hdrh.histogram import HdrHistogram
from websockets.asyncio.client import ClientConnection, connect

from bench.load.plan import LONGEST_US, Plan, Report, User, encoded, histogram, times_of

PATIENCE_S: Final = 30.0
"""How long the last answers may take."""

_encode: Final = msgspec.json.encode


class _Each(msgspec.Struct):
    status: int


class _Answer(msgspec.Struct):
    id: int
    status: int
    result: msgspec.Raw = msgspec.Raw(b"null")


class _Data(msgspec.Struct):
    time: int = msgspec.field(name="E", default=0)


class _Event(msgspec.Struct):
    stream: str
    data: _Data


_decode_answer: Final = msgspec.json.Decoder(_Answer).decode
_decode_list: Final = msgspec.json.Decoder(list[_Each]).decode
_decode_event: Final = msgspec.json.Decoder(_Event).decode


class Session:
    """One socket of the WebSocket API, logged on."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._plan = plan
        self._number = number
        self._user = plan.users[number % len(plan.users)]
        self._intended: dict[int, float] = {}
        self.latencies = histogram()
        self.answered = self.refused = 0
        self.last = 0.0
        self.behind_s = 0.0

    async def run(self, ready: asyncio.Barrier) -> None:
        async with connect(f"{self._plan.url}/ws-api/v3", compression=None) as socket:
            await socket.send(_log_on(self._user))
            assert _decode_answer(await socket.recv()).status == 200
            await ready.wait()
            requests = self._requests()
            reader = asyncio.create_task(self._read(socket, requests))
            started = time.perf_counter()
            await self._send(socket, started, requests)
            await asyncio.wait_for(reader, PATIENCE_S)

    def _requests(self) -> int:
        plan = self._plan
        return int(plan.rate * plan.seconds / plan.sessions / plan.together)

    async def _send(self, socket: ClientConnection, started: float, requests: int) -> None:
        plan = self._plan
        rate = plan.rate / plan.sessions / plan.together
        shift = self._number / plan.rate * plan.together  # one session after the other
        for number, due in enumerate(times_of(rate, requests)):
            intended = started + shift + due
            if (wait := intended - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self.behind_s = max(self.behind_s, time.perf_counter() - intended)
            self._intended[number] = intended
            await socket.send(self._request(number))

    def _request(self, number: int) -> str:
        plan, now = self._plan, time.time_ns() // 1_000_000
        if plan.together == 1:
            params = self._order(number) | {"timestamp": now}
            return _encode({"id": number, "method": "order.place", "params": params}).decode()
        orders = [self._order(number * plan.together + each) for each in range(plan.together)]
        params = {"orders": orders, "timestamp": now}
        return _encode({"id": number, "method": "orders.place", "params": params}).decode()

    def _order(self, number: int) -> dict[str, object]:
        return {
            "symbol": self._plan.market,
            "side": "BUY" if number % 2 else "SELL",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "price": self._plan.price,
            "quantity": self._plan.quantity,
            "newOrderRespType": "RESULT",
        }

    async def _read(self, socket: ClientConnection, requests: int) -> None:
        for _ in range(requests):
            answer = _decode_answer(await socket.recv())
            self.last = time.perf_counter()
            _record(self.latencies, self.last - self._intended.pop(answer.id))
            good = _placed(answer)
            self.answered += good
            self.refused += self._plan.together - good


class Follower:
    """One socket that watches streams of the market."""

    def __init__(self, plan: Plan) -> None:
        market = plan.market.lower()
        self._path = "/".join(f"{market}@{stream}" for stream in plan.streams)
        self._url = f"{plan.url}/stream?streams={self._path}"
        self.latencies = {stream: histogram() for stream in plan.streams}
        self.received = dict.fromkeys(plan.streams, 0)

    async def run(self, ready: asyncio.Barrier) -> None:
        async with connect(self._url, compression=None, max_queue=None) as socket:
            await ready.wait()
            async for message in socket:
                now_ms = time.time_ns() / 1_000_000
                event = _decode_event(message)
                stream = event.stream.partition("@")[2]
                self.received[stream] += 1
                if event.data.time:
                    _record(self.latencies[stream], (now_ms - event.data.time) / 1_000)


def _placed(answer: _Answer) -> int:
    """How many orders of the request have a match result."""
    if answer.status != 200:
        return 0
    if not bytes(answer.result).startswith(b"["):
        return 1
    return sum(each.status == 200 for each in _decode_list(answer.result))


def _record(values: HdrHistogram, seconds: float) -> None:
    values.record_value(min(max(1, round(seconds * 1_000_000)), LONGEST_US))


def _log_on(user: User) -> str:
    params: dict[str, Any] = {"apiKey": user.key, "timestamp": time.time_ns() // 1_000_000}
    payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    signature = hmac.new(user.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    params["signature"] = signature
    return _encode({"id": -1, "method": "session.logon", "params": params}).decode()


async def generate(plan: Plan) -> Report:
    sessions = [Session(plan, number) for number in range(plan.sessions)]
    followers = [Follower(plan) for _ in range(plan.followers)]
    ready = asyncio.Barrier(len(sessions) + len(followers) + 1)
    watching = [asyncio.create_task(follower.run(ready)) for follower in followers]
    trading = [asyncio.create_task(session.run(ready)) for session in sessions]
    await ready.wait()
    started = time.perf_counter()
    await asyncio.gather(*trading)
    await asyncio.sleep(0.5)  # the last depth is up to an interval behind
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    total = histogram()
    for session in sessions:
        total.add(session.latencies)
    events = {stream: histogram() for stream in plan.streams}
    received = dict.fromkeys(plan.streams, 0)
    for follower in followers:
        for stream in plan.streams:
            events[stream].add(follower.latencies[stream])
            received[stream] += follower.received[stream]
    return Report(
        answered=sum(session.answered for session in sessions),
        refused=sum(session.refused for session in sessions),
        seconds=max(session.last for session in sessions) - started,
        latencies=encoded(total),
        events={stream: encoded(values) for stream, values in events.items()},
        received=received,
        behind_us=round(max(session.behind_s for session in sessions) * 1_000_000),
    )


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    report = asyncio.run(generate(plan))
    sys.stdout.buffer.write(_encode(report) + b"\n")


if __name__ == "__main__":
    main()
