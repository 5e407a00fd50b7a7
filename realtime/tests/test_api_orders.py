"""Orders over the WebSocket API: one by one, in lists, and in the order in which they came."""

import itertools
import uuid
from typing import Any

import pytest

from exchange_site.tests.running import RunningExchange
from realtime.tests.api_client import stamped
from realtime.tests.api_sockets import api

MARKET = "WSORDERS"
FUNDS = {"USDT": "1000000", "SOL": "1000"}


@pytest.fixture(scope="module", autouse=True)
def market(exchange: RunningExchange) -> None:
    exchange.define_market(MARKET, base="SOL", quote="USDT", tick="0.01", step="0.001")


@pytest.fixture(scope="module")
def credentials(exchange: RunningExchange) -> Any:
    return exchange.create_user(f"api-{uuid.uuid4().hex[:8]}", fund=FUNDS)


def order(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "symbol": MARKET,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": "60",
        "quantity": "1",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


async def test_signed_requests_need_no_session(exchange: RunningExchange, credentials: Any) -> None:
    async with api(exchange.url, credentials) as client:
        placed = await client.signed("order.place", **order())
        assert placed["status"] == 200, placed
        assert placed["result"]["status"] == "NEW"
        assert [limit["rateLimitType"] for limit in placed["rateLimits"]] == [
            "REQUEST_WEIGHT",
            "ORDERS",
            "ORDERS",
        ]
        by_id = {"symbol": MARKET, "orderId": placed["result"]["orderId"]}
        assert (await client.signed("order.status", **by_id))["result"]["price"] == "60.00000000"
        canceled = await client.signed("order.cancel", **by_id)
        assert canceled["result"]["status"] == "CANCELED"
        again = await client.signed("order.cancel", **by_id)
        assert again["error"] == {"code": -2011, "msg": "Unknown order sent."}
        assert (await client.error("order.place", **order()))[0] == -1102


async def test_a_session_signs_once(exchange: RunningExchange, credentials: Any) -> None:
    async with api(exchange.url, credentials) as client:
        logged_on = (await client.log_on())["result"]
        assert logged_on["apiKey"] == credentials["api_key"]
        assert logged_on["authorizedSince"] >= logged_on["connectedSince"]
        assert (await client.ask("session.status"))["result"]["apiKey"] == credentials["api_key"]
        assert (await client.result("account.status"))["canTrade"]
        placed = await client.result("order.place", **order(newOrderRespType="ACK"))
        assert set(placed) >= {"symbol", "orderId", "clientOrderId", "transactTime"}
        opened = await client.result("openOrders.status", symbol=MARKET)
        assert placed["orderId"] in {each["orderId"] for each in opened}
        assert await client.result("openOrders.cancelAll", symbol=MARKET)
        assert await client.result("order.test", **order()) == {}
        assert (await client.ask("account.status"))["error"]["code"] == -1102
        assert (await client.ask("session.logout"))["result"]["apiKey"] is None
        assert (await client.error("account.status"))[0] == -1102


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signature": "0" * 64}, -1022),
        ({"signature": "no hexadecimal: ü"}, -1022),
        ({"timestamp": 1}, -1022),
        ({"price": "61"}, -1022),
    ],
)
async def test_what_was_not_signed_is_refused(
    exchange: RunningExchange, credentials: Any, changes: dict[str, object], code: int
) -> None:
    async with api(exchange.url, credentials) as client:
        signed = {**client.sign(stamped(order())), **changes}
        assert (await client.ask("order.place", **signed))["error"]["code"] == code


async def test_a_request_that_is_too_old(exchange: RunningExchange, credentials: Any) -> None:
    async with api(exchange.url, credentials) as client:
        old = client.sign({**order(), "timestamp": 1_600_000_000_000})
        answer = await client.ask("order.place", **old)
    assert answer["error"] == {
        "code": -1021,
        "msg": "Timestamp for this request is outside of the recvWindow.",
    }


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"price": "60.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"symbol": "NONE"}, -1121, "Invalid symbol."),
        ({"price": None}, -1102, None),
        ({"quantity": "9000", "price": "200"}, -2010, None),
    ],
)
async def test_refused_orders(
    exchange: RunningExchange,
    credentials: Any,
    changes: dict[str, object],
    code: int,
    text: str | None,
) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        refused = await client.error("order.place", **order(**changes))
    assert refused[0] == code, refused
    assert text is None or refused[1] == text


async def test_commands_take_effect_in_the_order_in_which_they_came(
    exchange: RunningExchange, credentials: Any
) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        asked = []
        for number in range(100):
            name, window = f"{uuid.uuid4().hex[:8]}-{number}", {"recvWindow": 60_000}
            placing = order(newClientOrderId=name, **window)
            canceling = {"symbol": MARKET, "origClientOrderId": name, **window}
            asked.append(
                (
                    await client.send("order.place", stamped(placing)),
                    await client.send("order.cancel", stamped(canceling)),
                )
            )
        for placed, canceled in asked:
            assert (await client.answer(placed))["status"] == 200
            assert (await client.answer(canceled))["result"]["status"] == "CANCELED"


async def test_lists(exchange: RunningExchange, credentials: Any) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        name = uuid.uuid4().hex
        wanted = [
            order(newClientOrderId=name),
            order(symbol="NONE"),
            order(newClientOrderId=name),
            order(price="60.001"),
            order(type="LIMIT_MAKER", timeInForce=None),
        ]
        answer = await client.ask("orders.place", **stamped({"orders": wanted}))
        assert answer["status"] == 200, answer
        codes = [item.get("error", {}).get("code") for item in answer["result"]]
        assert codes == [None, -1121, -2010, -1013, None]
        placed = [item["result"]["orderId"] for item in answer["result"] if item["status"] == 200]
        cancels = [{"symbol": MARKET, "orderId": number} for number in [*placed, placed[0]]]
        canceled = await client.result("orders.cancel", orders=cancels)
        assert [item.get("error", {}).get("code") for item in canceled] == [None, None, -2011]


@pytest.mark.parametrize("orders", [None, [], [order()] * 101, {}, "x", [1]])
async def test_lists_that_are_none(
    exchange: RunningExchange, credentials: Any, orders: object
) -> None:
    async with api(exchange.url, credentials) as client:
        await client.log_on()
        params = {} if orders is None else {"orders": orders}
        assert (await client.error("orders.place", **params))[0] in (-1102, -1130)


async def test_a_key_that_may_only_read_places_nothing(exchange: RunningExchange) -> None:
    reader = exchange.create_user(f"api-{uuid.uuid4().hex[:8]}", scope=("read",))
    async with api(exchange.url, reader) as client:
        await client.log_on()
        assert (await client.error("order.place", **order()))[0] == -2015
        assert (await client.error("orders.place", orders=[order()]))[0] == -2015
        assert await client.result("openOrders.status") == []


async def test_orders_of_those_who_are_no_makers_are_counted(exchange: RunningExchange) -> None:
    user = exchange.create_user(f"api-{uuid.uuid4().hex[:8]}", fund=FUNDS, tier="default")
    async with api(exchange.url, user) as client:
        await client.log_on()
        for lists in itertools.count(1):  # until two are placed in the same ten seconds
            answer = await client.ask("orders.place", **stamped({"orders": [order()] * 60}))
            counts = [limit["count"] for limit in answer["rateLimits"]][1:]
            if answer["status"] != 200:
                break
            assert counts == [60, 60 * lists]
    assert answer["status"] == 429
    assert answer["error"]["code"] == -1015
    assert counts == [60, 60 * (lists - 1)]
    retry = answer["error"]["data"]
    assert 0 < retry["retryAfter"] - retry["serverTime"] <= 10_000


async def test_what_cannot_be_read_counts_as_no_order(exchange: RunningExchange) -> None:
    """Neither alone nor in a list."""
    user = exchange.create_user(f"api-{uuid.uuid4().hex[:8]}", fund=FUNDS, tier="default")
    unreadable = order(price="1e5")
    async with api(exchange.url, user) as client:
        await client.log_on()
        assert (await client.error("order.place", **unreadable))[0] == -1100
        for orders, day in (([unreadable], []), ([unreadable, order(), unreadable], [1])):
            answer = await client.ask("orders.place", **stamped({"orders": orders}))
            assert answer["result"][0]["error"]["code"] == -1100
            assert [limit["count"] for limit in answer["rateLimits"]][2:] == day
        counts = await client.result("account.rateLimits.orders")
    assert counts[1]["count"] == 1
