"""The stream sockets of a whole exchange, as a client sees them."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from exchange_site.tests.running import RunningExchange
from markets.tests.native import NativeClient, order
from realtime.protocol import INVALID_REQUEST, NOT_SIGNED_IN
from realtime.tests.sockets import PATIENCE_S, StreamClient, eventually, sign_in, socket_url

SYMBOL = "STREAMUSDT"
STREAM = SYMBOL.lower()
FUNDS = {"USDT": "1000000", "ETH": "1000"}


def eth(**changes: object) -> dict[str, object]:
    return order(**{"symbol": SYMBOL, "price": "2500", "quantity": "0.5", **changes})


@pytest.fixture(scope="module", autouse=True)
def market(exchange: RunningExchange) -> None:
    exchange.define_market(SYMBOL, base="ETH", quote="USDT", tick="0.01", step="0.001")


@pytest.fixture(scope="module")
def name() -> str:
    return f"streams-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def trader(exchange: RunningExchange, name: str) -> NativeClient:
    return NativeClient(exchange.url, exchange.create_user(name, fund=FUNDS))


@pytest.fixture(scope="module")
def session(exchange: RunningExchange, trader: NativeClient, name: str) -> str:
    return sign_in(exchange, name)


@asynccontextmanager
async def client(
    exchange: RunningExchange, path: str, **headers: str
) -> AsyncIterator[StreamClient]:
    async with connect(
        socket_url(exchange.url, path), additional_headers=headers, open_timeout=PATIENCE_S
    ) as socket:
        yield StreamClient(socket)


async def trade(trader: NativeClient) -> None:
    """Somebody sells to themselves."""
    for side in ("sell", "buy"):
        await place(trader, side=side)


async def place(trader: NativeClient, **changes: object) -> None:
    answer = await asyncio.to_thread(trader.post, "/order", eth(**changes))
    assert answer.status_code == 200, answer.text


async def test_subscribe_list_and_unsubscribe(exchange: RunningExchange) -> None:
    async with client(exchange, "/ws") as streams:
        names = ["btcusdt@depth", "btcusdt@trade"]
        assert await streams.ask("SUBSCRIBE", names, 7) == {"result": None, "id": 7}
        assert await streams.ask("LIST_SUBSCRIPTIONS", None, "x") == {"result": names, "id": "x"}
        assert await streams.ask("SUBSCRIBE", names, None) == {"result": None, "id": None}
        assert await streams.ask("UNSUBSCRIBE", [names[0], "none@trade"], 8) == {
            "result": None,
            "id": 8,
        }
        assert (await streams.ask("LIST_SUBSCRIPTIONS"))["result"] == names[1:]


@pytest.mark.parametrize(
    ("path", "listed", "combined"),
    [
        ("/ws", [], False),
        ("/ws/btcusdt@depth", ["btcusdt@depth"], False),
        ("/ws/btcusdt@depth/btcusdt@trade", ["btcusdt@depth", "btcusdt@trade"], False),
        ("/ws/whatever", ["whatever"], False),
        ("/stream", [], True),
        ("/stream?streams=", [], True),
        ("/stream?streams=btcusdt@depth/!ticker@arr", ["btcusdt@depth", "!ticker@arr"], True),
    ],
)
async def test_paths(
    exchange: RunningExchange, path: str, listed: list[str], combined: bool
) -> None:
    async with client(exchange, path) as streams:
        assert (await streams.ask("LIST_SUBSCRIPTIONS"))["result"] == listed
        assert (await streams.ask("GET_PROPERTY", ["combined"]))["result"] is combined


async def test_properties_and_their_errors(exchange: RunningExchange) -> None:
    async with client(exchange, "/ws") as streams:
        assert (await streams.ask("SET_PROPERTY", ["combined", True]))["result"] is None
        assert (await streams.ask("GET_PROPERTY", ["combined"]))["result"] is True
        for params, code in ((["speed"], 0), (["combined", 1], 1), ([], 2)):
            assert (await streams.ask("SET_PROPERTY", params))["error"]["code"] == code
        await streams.socket.send("no JSON")
        assert (await streams.next())["error"]["code"] == 3
        assert (await streams.ask("SUBSCRIBE", [f"a{n}@trade" for n in range(1024)])) == {
            "result": None,
            "id": 1,
        }
        assert (await streams.ask("SUBSCRIBE", ["b@trade"]))["error"]["code"] == 2


async def test_a_trade_is_seen_on_every_stream(
    exchange: RunningExchange, trader: NativeClient
) -> None:
    kinds = {
        "depth", "depth@100ms", "depth5@100ms", "trade", "aggTrade", "ticker", "miniTicker",
        "bookTicker", "kline_1s", "kline_1M",
    }  # fmt: skip
    wanted = {f"{STREAM}@{kind}" for kind in kinds} | {"!ticker@arr", "!miniTicker@arr"}
    async with client(exchange, "/stream") as streams:
        await streams.ask("SUBSCRIBE", sorted(wanted))
        await trade(trader)
        await place(trader, side="buy", price="2400")  # and the best bid is another
        found: dict[str, Any] = {}
        while wanted - found.keys():
            message = await streams.next()
            if "@arr" in message["stream"] and SYMBOL not in symbols_of(message["data"]):
                continue  # of others' trades
            found.setdefault(message["stream"], message["data"])
    assert found[f"{STREAM}@trade"]["q"] == "0.50000000"
    assert found[f"{STREAM}@kline_1M"]["k"]["i"] == "1M"
    assert symbols_of(found["!ticker@arr"]).count(SYMBOL) == 1
    trader.delete("/orders")


def symbols_of(tickers: list[dict[str, Any]]) -> list[str]:
    return [ticker["s"] for ticker in tickers]


@pytest.mark.parametrize("left", [f"{STREAM}@depth", f"{STREAM}@depth@1000ms"])
async def test_a_stream_of_two_names_goes_on_under_the_other(
    exchange: RunningExchange, trader: NativeClient, left: str
) -> None:
    names = [f"{STREAM}@depth", f"{STREAM}@depth@1000ms"]
    async with client(exchange, f"/stream?streams={'/'.join(names)}") as streams:
        await streams.ask("UNSUBSCRIBE", [left])
        (kept,) = (await streams.ask("LIST_SUBSCRIPTIONS"))["result"]
        await trade(trader)
        assert (await streams.next())["stream"] == kept
        assert kept != left


async def test_a_candle_is_said_to_be_closed(
    exchange: RunningExchange, trader: NativeClient
) -> None:
    async with client(exchange, f"/ws/{STREAM}@kline_1s") as streams:
        await trade(trader)
        closed = await streams.until(lambda m: m["k"]["x"])
        assert closed["k"]["T"] < closed["E"]


async def test_the_newest_candle_and_the_ticker_know_a_trade_at_once(
    exchange: RunningExchange, trader: NativeClient
) -> None:
    async with client(exchange, f"/ws/{STREAM}@trade") as streams:
        await trade(trader)
        told = await streams.next()
        candles = trader.get("/kline", symbol=SYMBOL, interval="1M").json()
        assert candles[-1]["close"] == trader.get("/tickers", symbol=SYMBOL).json()["last"]
        assert candles[-1]["trades"] >= told["t"]


async def test_own_events_come_in_order(
    exchange: RunningExchange, trader: NativeClient, session: str
) -> None:
    async with client(
        exchange, "/stream?streams=user", Cookie=session, Origin=exchange.url
    ) as streams:
        assert (await streams.ask("LIST_SUBSCRIPTIONS"))["result"] == ["user"]
        await asyncio.to_thread(trader.post, "/order", eth(side="sell", client_order_id="seen"))
        await asyncio.to_thread(trader.delete, "/order", symbol=SYMBOL, client_order_id="seen")
        events = [await streams.next() for _ in range(4)]
    assert {event["stream"] for event in events} == {"user"}
    told = [event["data"] for event in events]
    assert [e["e"] for e in told] == ["executionReport", "outboundAccountPosition"] * 2
    assert [e["X"] for e in told[::2]] == ["NEW", "CANCELED"]
    assert {e["c"] for e in told[::2]} == {"seen"}
    assert [balance["a"] for balance in told[1]["B"]] == ["ETH"]
    numbers = [e["number"] for e in told]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


@pytest.mark.parametrize("case", ["anonymous", "no origin", "another origin"])
async def test_own_events_are_for_their_own(
    exchange: RunningExchange, session: str, case: str
) -> None:
    headers, code = {
        "anonymous": ({"Origin": exchange.url}, NOT_SIGNED_IN),
        "no origin": ({"Cookie": session}, INVALID_REQUEST),
        "another origin": (
            {"Cookie": session, "Origin": "https://elsewhere.example"},
            INVALID_REQUEST,
        ),
    }[case]
    async with client(exchange, "/ws", **headers) as streams:
        assert (await streams.ask("SUBSCRIBE", ["user"]))["error"]["code"] == code
        assert (await streams.ask("LIST_SUBSCRIPTIONS"))["result"] == []


async def test_signing_out_closes_the_sockets_of_that_session(
    exchange: RunningExchange, trader: NativeClient, name: str
) -> None:
    one, other = sign_in(exchange, name), sign_in(exchange, name)
    own = "/stream?streams=user"
    async with (
        client(exchange, own, Cookie=one, Origin=exchange.url) as ending,
        client(exchange, own, Cookie=other, Origin=exchange.url) as staying,
        client(exchange, f"/ws/{STREAM}@trade", Cookie=one, Origin=exchange.url) as public,
    ):
        for streams in (ending, staying, public):
            assert len((await streams.ask("LIST_SUBSCRIPTIONS"))["result"]) == 1
        await asyncio.to_thread(sign_out, exchange, one)
        assert await ending.close_code() == 4001
        await trade(trader)
        assert (await staying.next())["stream"] == "user"
        assert (await public.next())["e"] == "trade"
    async with client(exchange, "/ws", Cookie=one, Origin=exchange.url) as streams:
        assert (await streams.ask("SUBSCRIBE", ["user"]))["error"]["code"] == NOT_SIGNED_IN


def sign_out(exchange: RunningExchange, session: str) -> None:
    """As the page's button does."""
    with httpx.Client(base_url=exchange.url, headers={"Cookie": session}) as http:
        page = http.get("/account/sign-out")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token is not None
        cookie = f"{session}; csrftoken={page.cookies['csrftoken']}"
        answer = http.post(
            "/account/sign-out",
            data={"csrfmiddlewaretoken": token[1]},
            headers={"Cookie": cookie, "Origin": exchange.url},
        )
        assert answer.status_code == 302


async def test_who_asks_too_much_is_closed(exchange: RunningExchange) -> None:
    async with client(exchange, "/ws") as streams:
        with suppress(ConnectionClosed):
            for _ in range(100):
                await streams.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        assert await streams.close_code() == 1008


async def test_health_and_metrics_know_the_publisher(
    exchange: RunningExchange, trader: NativeClient
) -> None:
    async with httpx.AsyncClient(base_url=exchange.url, timeout=20) as http:

        async def it_is_well() -> bool:
            part = (await http.get("/health")).json()["publisher"]
            return bool(part["ok"]) and part["lag"] >= 0

        async def metrics_say_so() -> bool:
            metrics = (await http.get("/metrics")).text
            assert "exchange_publisher_lag" in metrics
            return 'exchange_up{part="publisher"} 1.0' in metrics

        await eventually(it_is_well, "the publisher is well")
        await eventually(metrics_say_so, "the metrics say so")
