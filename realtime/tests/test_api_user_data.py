"""An account's events over `/ws-api/v3` and a listen key: in order, numbered, caught up."""

import asyncio
import uuid
from typing import Any

import pytest
from websockets.asyncio.client import connect

from exchange_site.tests.running import RunningExchange
from markets.binance.tests.client import BinanceClient
from realtime.api.user_data import MAX_SUBSCRIPTIONS
from realtime.tests.api_client import ApiClient
from realtime.tests.api_sockets import api
from realtime.tests.sockets import StreamClient, socket_url
from realtime.tests.test_api_orders import FUNDS, order

MARKET = "WSEVENTS"


@pytest.fixture(scope="module", autouse=True)
def market(exchange: RunningExchange) -> None:
    exchange.define_market(MARKET, base="SOL", quote="USDT", tick="0.01", step="0.001")


@pytest.fixture
def credentials(exchange: RunningExchange) -> Any:
    return exchange.create_user(f"events-{uuid.uuid4().hex[:8]}", fund=FUNDS)


async def subscribe(client: ApiClient, **params: object) -> int:
    answer = await client.ask("userDataStream.subscribe", **params)
    assert answer["status"] == 200, answer
    return int(answer["result"]["subscriptionId"])


async def one_order(client: ApiClient, **changes: object) -> Any:
    return await client.result("order.place", **order(symbol=MARKET, **changes))


async def place_and_cancel(client: ApiClient) -> None:
    placed = await one_order(client)
    await client.result("order.cancel", symbol=MARKET, orderId=placed["orderId"])


async def test_every_change_is_told_in_order(exchange: RunningExchange, credentials: Any) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        assert await subscribe(client) == 0
        await place_and_cancel(client)
        events = [await client.event() for _ in range(4)]
    assert {event["subscriptionId"] for event in events} == {0}
    told = [event["event"] for event in events]
    assert [(event["e"], event.get("x"), event.get("X")) for event in told] == [
        ("executionReport", "NEW", "NEW"),
        ("outboundAccountPosition", None, None),
        ("executionReport", "CANCELED", "CANCELED"),
        ("outboundAccountPosition", None, None),
    ]
    numbers = [event["number"] for event in told]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


async def test_both_sides_of_a_trade(exchange: RunningExchange, credentials: Any) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        await subscribe(client)
        await one_order(client, side="SELL", price="61")
        await one_order(client, side="BUY", price="61", timeInForce="IOC")
        told = [(await client.event())["event"] for _ in range(6)]
    reports = [event for event in told if event["e"] == "executionReport"]
    assert [report["x"] for report in reports] == ["NEW", "NEW", "TRADE", "TRADE"]
    assert {report["m"] for report in reports[2:]} == {True, False}
    numbers = [event["number"] for event in told]
    assert numbers == sorted(numbers)


async def test_a_signature_instead_of_a_session(
    exchange: RunningExchange, credentials: Any
) -> None:
    async with api(exchange.url, credentials) as client:
        signed = await client.signed("userDataStream.subscribe.signature")
        assert signed["result"] == {"subscriptionId": 0}
        await client.log_on()
        assert await subscribe(client) == 1
        assert (await client.ask("session.subscriptions"))["result"] == [
            {"subscriptionId": 0},
            {"subscriptionId": 1},
        ]
        await client.ask("session.logout")
        assert (await client.ask("session.subscriptions"))["result"] == [{"subscriptionId": 0}]
        await client.log_on()
        await place_and_cancel(client)
        assert [(await client.event())["subscriptionId"] for _ in range(4)] == [0] * 4
        gone = await client.ask("userDataStream.unsubscribe", subscriptionId=1)
        assert gone["result"] == {}, "it was ended before"
        assert (await client.ask("userDataStream.unsubscribe"))["result"] == {}
        await place_and_cancel(client)
        await client.ask("ping")
        assert client.events == []


async def test_a_connection_has_not_any_number_of_subscriptions(
    exchange: RunningExchange, credentials: Any
) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        for number in range(MAX_SUBSCRIPTIONS):
            assert await subscribe(client) == number
        answer = await client.ask("userDataStream.subscribe")
        assert answer["error"] == {
            "code": -2042,
            "msg": "Maximum subscription ID reached for this connection.",
        }
        await client.ask("userDataStream.unsubscribe", subscriptionId=3)
        assert await subscribe(client) == MAX_SUBSCRIPTIONS


async def test_who_was_away_hears_what_was_missed_and_then_the_rest(
    exchange: RunningExchange, credentials: Any
) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        await subscribe(client)
        await place_and_cancel(client)
        seen = [(await client.event())["event"]["number"] for _ in range(4)]
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        await place_and_cancel(client)  # nobody listens
        await subscribe(client, after=seen[1])
        await place_and_cancel(client)
        told = [(await client.event())["event"] for _ in range(10)]
        await client.ask("ping")
        assert client.events == []
    assert [event["number"] for event in told] == list(range(seen[1] + 1, seen[1] + 11))
    assert [event["x"] for event in told if event["e"] == "executionReport"] == [
        "CANCELED",
        *("NEW", "CANCELED") * 2,
    ]


async def test_nothing_is_lost_or_told_twice_while_orders_come(
    exchange: RunningExchange, credentials: Any
) -> None:
    async with api(exchange.url, credentials) as trading, api(exchange.url, credentials) as client:
        await trading.log_on()
        await client.log_on()
        await subscribe(client)
        await place_and_cancel(trading)
        first = (await client.event())["event"]["number"]
        await client.ask("userDataStream.unsubscribe")

        async def trade() -> None:
            for _ in range(30):
                await place_and_cancel(trading)

        trades = asyncio.create_task(trade())
        last = first
        while last < first + 100:
            client.events.clear()
            await subscribe(client, after=last)
            for _ in range(10):
                number = (await client.event())["event"]["number"]
                assert number == last + 1
                last = number
            # What came meanwhile is told again by the next subscription.
            await client.ask("userDataStream.unsubscribe")
        await trades


async def test_nothing_was_missed(exchange: RunningExchange, credentials: Any) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        await subscribe(client)
        await place_and_cancel(client)
        last = [(await client.event())["event"]["number"] for _ in range(4)][-1]
        await client.ask("userDataStream.unsubscribe")
        assert await subscribe(client, after=last) == 1
        await place_and_cancel(client)
        assert (await client.event())["event"]["number"] == last + 1


@pytest.mark.parametrize("after", [10**9, 2**62])
async def test_what_never_was_must_be_asked_for_anew(
    exchange: RunningExchange, credentials: Any, after: int
) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        answer = await client.ask("userDataStream.subscribe", after=after)
    assert answer["error"] == {
        "code": -9001,
        "msg": f"resync: what came after event {after} is not kept.",
    }


async def test_more_than_is_told_again(exchange: RunningExchange, credentials: Any) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        for _ in range(6):
            await client.result("orders.place", orders=[order(symbol=MARKET)] * 100)
            await client.result("openOrders.cancelAll", symbol=MARKET)
        answer = await client.ask("userDataStream.subscribe", after=0)
    assert answer["error"]["code"] == -9001


async def test_a_listen_key_is_the_accounts_stream(
    exchange: RunningExchange, credentials: Any
) -> None:
    rest = BinanceClient(exchange.url, credentials)
    key = rest.keyed("POST", "userDataStream").json()["listenKey"]
    async with (
        connect(socket_url(exchange.url, f"/ws/{key}")) as plain,
        connect(socket_url(exchange.url, f"/stream?streams={key}")) as combined,
        connect(socket_url(exchange.url, "/ws")) as later,
        api(exchange.url, credentials) as client,
    ):
        subscribing = StreamClient(later)
        assert (await subscribing.ask("SUBSCRIBE", [key]))["result"] is None
        for each in (plain, combined):
            await StreamClient(each).ask("LIST_SUBSCRIPTIONS")
        await client.log_on()
        await place_and_cancel(client)
        told = [await StreamClient(plain).next() for _ in range(4)]
        assert [await StreamClient(combined).next() for _ in range(4)] == [
            {"stream": key, "data": event} for event in told
        ]
        assert [await subscribing.next() for _ in range(4)] == told

    last = told[1]["number"]
    async with connect(socket_url(exchange.url, f"/ws/{key}@{last}")) as again:
        missed = [await StreamClient(again).next() for _ in range(2)]
        assert [event | {"E": 0} for event in missed] == [event | {"E": 0} for event in told[2:]]
    async with connect(socket_url(exchange.url, f"/ws/{key}@{10**9}")) as again:
        assert (await StreamClient(again).next())["error"]["code"] == 4
    async with connect(socket_url(exchange.url, f"/ws/{'0' * 64}")) as nobody:
        assert (await StreamClient(nobody).ask("LIST_SUBSCRIPTIONS"))["result"] == ["0" * 64]
