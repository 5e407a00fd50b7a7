"""The WebSocket API for everybody: market data, ids, and what is no request."""

import json
import time

import pytest

from engine.connections import connect
from exchange_site.servers.addresses import valkey_socket
from exchange_site.tests.loopback import own_address
from exchange_site.tests.running import RunningExchange
from markets.binance.errors import BinanceError
from realtime.api import messages
from realtime.tests.api_sockets import api

TOO_MANY = f"[{','.join(['{}'] * 101)}]"


@pytest.mark.parametrize(
    ("method", "params", "names"),
    [
        ("ping", {}, set()),
        ("time", {}, {"serverTime"}),
        ("exchangeInfo", {"symbol": "BTCUSDT"}, {"symbols", "rateLimits"}),
        ("exchangeInfo", {"symbols": ["BTCUSDT", "ETHBTC"]}, {"symbols"}),
        ("depth", {"symbol": "BTCUSDT", "limit": 5}, {"lastUpdateId", "bids", "asks"}),
        ("ticker.24hr", {"symbol": "BTCUSDT"}, {"lastPrice"}),
        ("ticker.price", {"symbol": "BTCUSDT"}, {"price"}),
        ("ticker.book", {"symbol": "BTCUSDT"}, {"bidPrice"}),
        ("avgPrice", {"symbol": "BTCUSDT"}, {"price"}),
    ],
)
async def test_what_everybody_may_ask(
    exchange: RunningExchange, method: str, params: dict[str, object], names: set[str]
) -> None:
    async with api(exchange.url) as client:
        answer = await client.ask(method, **params)
    assert set(answer) == {"id", "status", "result", "rateLimits"}
    assert answer["status"] == 200
    assert names <= set(answer["result"])
    (weight,) = answer["rateLimits"]
    assert weight["rateLimitType"] == "REQUEST_WEIGHT"
    assert weight["count"] > 0


@pytest.mark.parametrize("method", ["trades.recent", "trades.aggregate", "klines"])
async def test_lists(exchange: RunningExchange, method: str) -> None:
    params: dict[str, object] = {"symbol": "BTCUSDT", "limit": 3}
    if method == "klines":
        params["interval"] = "1m"
    async with api(exchange.url) as client:
        assert isinstance((await client.ask(method, **params))["result"], list)


@pytest.mark.parametrize("request_id", [7, "seven", "", None, -1, 2**53])
async def test_the_id_comes_back_with_its_type(
    exchange: RunningExchange, request_id: object
) -> None:
    async with api(exchange.url) as client:
        await client.socket.send(json.dumps({"id": request_id, "method": "ping"}))
        answer = await client.next()
    assert answer["id"] == request_id
    assert answer["result"] == {}


@pytest.mark.parametrize(
    ("text", "request_id"),
    [
        ("", None),
        ("[]", None),
        ("{", None),
        ('{"id": 1}', 1),
        ('{"id": 1.5, "method": "ping"}', None),
        ('{"id": true, "method": "ping"}', None),
        ('{"id": "' + "x" * 37 + '", "method": "ping"}', None),
        ('{"id": 5, "method": 3}', 5),
        ('{"id": 6, "method": "ping", "params": []}', 6),
        ("[" * 100_000, None),
        ('{"id": 8, "method": "ping", "params": {"a": "\\ud800"}}', None),
    ],
)
async def test_what_is_no_request(exchange: RunningExchange, text: str, request_id: object) -> None:
    async with api(exchange.url) as client:
        await client.socket.send(text)
        answer = await client.next()
        assert answer["status"] == 400
        assert answer["error"] == {"code": -1135, "msg": "Invalid JSON Request"}
        assert answer["id"] == request_id
        assert (await client.ask("ping"))["status"] == 200


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("nothing", {}, -1020),
        ("depth", {}, -1102),
        ("depth", {"symbol": None}, -1105),
        ("depth", {"symbol": "NONE"}, -1121),
        ("depth", {"symbol": "BTCUSDT", "more": 1}, -1104),
        ("depth", {"symbol": "BTCUSDT", "limit": 1.5}, -1100),
        ("order.place", {"symbol": "BTCUSDT"}, -1102),
        ("account.status", {"apiKey": "?"}, -2014),
        ("account.status", {"apiKey": "x" * 64}, -2015),
        ("session.logon", {}, -1102),
        ("userDataStream.subscribe", {}, -2015),
    ],
)
async def test_refusals(
    exchange: RunningExchange, method: str, params: dict[str, object], code: int
) -> None:
    async with api(exchange.url) as client:
        answer = await client.ask(method, **params)
    assert answer["error"]["code"] == code, answer
    assert answer["status"] in (400, 401)


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("{", 1),
        ('{"id":1,"method":"nothing"}', 1),
        ('{"id":1,"method":"orders.place","params":{}}', 1),
        (f'{{"id":1,"method":"orders.cancel","params":{{"orders":{TOO_MANY}}}}}', 1),
        ('{"id":1,"method":"session.status"}', 2),
        ('{"id":1,"method":"session.logout"}', 2),
        ('{"id":1,"method":"session.subscriptions"}', 2),
        ('{"id":1,"method":"userDataStream.unsubscribe"}', 2),
        ('{"id":1,"method":"depth","params":{"symbol":"BTCUSDT"}}', 5),
    ],
)
async def test_everything_weighs_something(
    exchange: RunningExchange, text: str, weight: int
) -> None:
    async def used() -> int:
        await client.socket.send(text)
        (limit,) = (await client.next())["rateLimits"]
        return int(limit["count"])

    here = "127.0.1.30"
    async with api(exchange.url, address=here) as client:
        first = await used()
        assert await used() in {first + weight, weight}, "or a new minute has begun"


def used(exchange: RunningExchange, address: str, weight: int, *, banned_s: int = 0) -> None:
    """In this minute, and in the next one, if it begins meanwhile."""
    minute = int(time.time()) // 60
    with connect(f"unix://{valkey_socket(exchange.home)}") as shared:
        for each in (minute, minute + 1):
            shared.set(f"binance:weight:{address}:{each}", weight, ex=120)
        if banned_s:
            shared.set(f"binance:ban:{address}", 1, ex=banned_s)


async def test_who_asks_too_much_hears_how_much_and_when_to_come_back(
    exchange: RunningExchange,
) -> None:
    here = own_address()
    used(exchange, here, 6_999)
    async with api(exchange.url, address=here) as client:
        answer = await client.ask("ping")
    assert (answer["status"], answer["error"]["code"]) == (429, -1003)
    assert answer["rateLimits"][0]["count"] == 7_000
    retry = answer["error"]["data"]
    assert 0 < retry["retryAfter"] - retry["serverTime"] <= 60_000


async def test_who_is_banned_hears_only_that(exchange: RunningExchange) -> None:
    here = own_address()
    used(exchange, here, 2_411, banned_s=300)
    async with api(exchange.url, address=here) as client:
        for method in ("ping", "nothing", "orders.place", "orders.cancel", "order.place"):
            answer = await client.ask(method)
            assert (answer["status"], answer["error"]["code"]) == (418, -1003), method
            assert answer["rateLimits"][0]["count"] == 2_411
            retry = answer["error"]["data"]
            assert 240_000 < retry["retryAfter"] - retry["serverTime"] <= 300_000
            assert f"IP banned until {retry['retryAfter']}." in answer["error"]["msg"]


def test_of_a_list_that_is_too_long_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """For it would be read before anybody is known, or counted."""

    def read(_: bytes) -> None:
        raise AssertionError

    monkeypatch.setattr(messages, "_texts", read)
    with pytest.raises(BinanceError, match="-1130"):
        messages.parse_list({"orders": TOO_MANY}, "orders", most=100)


async def test_rate_limits_are_left_out_for_whoever_wants_none(exchange: RunningExchange) -> None:
    async with api(exchange.url) as client:
        assert "rateLimits" not in await client.ask("ping", returnRateLimits=False)
