"""What everybody may read over `/api/v3`."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from exchange_site.tests.processes import wait_until
from markets.binance.tests.client import BinanceClient, order

AMOUNT = re.compile(r"-?\d+\.\d{8}")
MARKETS = {"BTCUSDT", "ETHUSDT", "SOLUSDT", "ETHBTC"}
FUNDS = {"BTC": "20", "ETH": "200"}
TICKERS = ["ticker/24hr", "ticker/price", "ticker/bookTicker"]


@pytest.fixture(scope="module")
def client(exchange: Any) -> Iterator[BinanceClient]:
    """Three trades of its own, and a level a side."""
    credentials = exchange.create_user("v3-market-data", fund=FUNDS)
    client = BinanceClient(exchange.url, credentials, address="127.0.1.3")
    for price in ("0.05", "0.051", "0.052"):
        client.post("order", **order(side="SELL", price=price, quantity="1"))
        client.post("order", **order(price=price, quantity="1"))
    for side, price in (("BUY", "0.03"), ("SELL", "0.08")):
        client.post("order", **order(side=side, price=price, quantity="2"))
    yield client
    client.delete("openOrders", symbol="ETHBTC")


def amounts_in(value: object) -> list[str]:
    """Every text that looks like a number."""
    if isinstance(value, str):
        return [value] if re.fullmatch(r"-?[\d.]+", value) else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [amount for part in parts for amount in amounts_in(part)]


def test_ping_and_time(client: BinanceClient) -> None:
    assert client.public("ping").json() == {}
    assert client.public("time").json()["serverTime"] > 1_600_000_000_000


def test_exchange_info(client: BinanceClient) -> None:
    info = client.public("exchangeInfo").json()
    symbols = {symbol["symbol"]: symbol for symbol in info["symbols"]}
    assert set(symbols) >= MARKETS
    ethbtc = symbols["ETHBTC"]
    filters = {f["filterType"]: f for f in ethbtc["filters"]}
    assert ethbtc["filters"][0] == {
        "filterType": "PRICE_FILTER",
        "minPrice": "0.00001000",
        "maxPrice": "92233720368.54775000",
        "tickSize": "0.00001000",
    }
    assert filters["LOT_SIZE"]["stepSize"] == "0.00100000"
    assert filters["NOTIONAL"]["minNotional"] == "0.00010000"
    assert filters["PERCENT_PRICE_BY_SIDE"]["bidMultiplierUp"] == "5.00000000"
    assert ethbtc["permissionSets"] == [["SPOT"]]
    assert {"LIMIT", "MARKET", "LIMIT_MAKER"} <= set(ethbtc["orderTypes"])
    assert [limit["rateLimitType"] for limit in info["rateLimits"]] == [
        "REQUEST_WEIGHT",
        "ORDERS",
        "ORDERS",
    ]


@pytest.mark.parametrize(
    ("parameters", "symbols"),
    [
        ({"symbol": "ETHBTC"}, {"ETHBTC"}),
        ({"symbols": '["ETHBTC","BTCUSDT"]'}, {"ETHBTC", "BTCUSDT"}),
        ({"permissions": "SPOT"}, MARKETS),
        ({"permissions": '["MARGIN","LEVERAGED"]'}, set()),
    ],
)
def test_some_of_the_markets(
    client: BinanceClient, parameters: dict[str, object], symbols: set[str]
) -> None:
    found = client.public("exchangeInfo", **parameters).json()["symbols"]
    assert {symbol["symbol"] for symbol in found} >= symbols
    assert bool(found) == bool(symbols)


def test_depth(client: BinanceClient) -> None:
    def depth(limit: int) -> Any:
        return client.public("depth", symbol="ETHBTC", limit=limit).json()

    def stands() -> bool:
        return ["0.03000000", "2.00000000"] in depth(500)["bids"]

    wait_until(stands, "the level stands", pause_s=0.1)
    book = depth(1)
    assert (len(book["bids"]), len(book["asks"])) == (1, 1)
    assert isinstance(book["lastUpdateId"], int)
    assert client.public("depth", symbol="ETHBTC", limit=10_000).status_code == 200


def test_trades(client: BinanceClient) -> None:
    mine = client.get("myTrades", symbol="ETHBTC").json()
    ids = sorted({trade["id"] for trade in mine})[-3:]
    recent = client.public("trades", symbol="ETHBTC").json()
    by_id = {trade["id"]: trade for trade in recent}
    assert set(ids) <= set(by_id)
    assert by_id[ids[0]]["price"] == "0.05000000"
    assert by_id[ids[0]]["isBuyerMaker"] is False
    assert [t["id"] for t in recent] == sorted(by_id)
    older = client.public("historicalTrades", symbol="ETHBTC", fromId=ids[0], limit=2).json()
    assert [trade["id"] for trade in older] == [ids[0], ids[0] + 1]

    def aggregates(**parameters: object) -> list[int]:
        found = client.public("aggTrades", symbol="ETHBTC", **parameters).json()
        return [trade["a"] for trade in found]

    assert aggregates(limit=1) == [recent[-1]["id"]]
    assert aggregates(fromId=ids[1], limit=1) == [ids[1]]
    time = by_id[ids[0]]["time"]
    assert aggregates(startTime=time, limit=1)[0] >= ids[0] - 3
    assert aggregates(endTime=time)[-1] <= ids[2]


@pytest.mark.parametrize("path", ["klines", "uiKlines"])
def test_klines(client: BinanceClient, path: str) -> None:
    (candle,) = client.public(path, symbol="ETHBTC", interval="1d", limit=1).json()
    assert len(candle) == 12
    open_time, opened, high, low, close, volume, close_time, _, trades, _, _, unused = candle
    assert close_time == open_time + 86_399_999
    assert float(low) <= float(opened) <= float(high)
    assert float(low) <= float(close) <= float(high)
    assert float(volume) > 0
    assert trades > 0
    assert unused == "0"
    assert client.public(path, symbol="ETHBTC", interval="1M", endTime=0).json() == []


@pytest.mark.parametrize("path", TICKERS)
def test_tickers_are_an_object_or_a_list(client: BinanceClient, path: str) -> None:
    one = client.public(path, symbol="ETHBTC").json()
    assert one["symbol"] == "ETHBTC"
    some = client.public(path, symbols='["ETHBTC","BTCUSDT"]').json()
    assert {ticker["symbol"] for ticker in some} == {"ETHBTC", "BTCUSDT"}
    alone = client.public(path, symbols='["ETHBTC"]').json()
    assert [ticker["symbol"] for ticker in alone] == ["ETHBTC"]
    every = client.public(path).json()
    assert {ticker["symbol"] for ticker in every} >= MARKETS
    assert set(every[0]) == set(one)


def test_clients_that_know_markets_by_their_assets_find_the_namesake(
    exchange: Any, client: BinanceClient
) -> None:
    """They keep the last of several markets, and a replay's has the assets of the recorded one."""
    twin = "ETHBTCTWIN"
    exchange.define_market(twin, base="ETH", quote="BTC", tick="0.00001", step="0.001")

    def listed(path: str) -> list[str]:
        answer = client.public(path).json()
        return [each["symbol"] for each in (answer if path in TICKERS else answer["symbols"])]

    def is_listed(path: str) -> bool:
        return twin in listed(path)

    for path in ("exchangeInfo", *TICKERS):
        wait_until(partial(is_listed, path), f"it is in {path}", pause_s=0.25)
        symbols = listed(path)
        assert symbols.index("ETHBTC") > symbols.index(twin), path


def test_the_days_statistics(client: BinanceClient) -> None:
    wait_until(
        lambda: client.public("ticker/price", symbol="ETHBTC").json()["price"] != "0.00000000",
        "a trade is told of",
    )
    full = client.public("ticker/24hr", symbol="ETHBTC").json()
    assert full["count"] == full["lastId"] - full["firstId"] + 1
    assert full["closeTime"] - full["openTime"] == 86_400_000
    assert float(full["lowPrice"]) <= float(full["weightedAvgPrice"]) <= float(full["highPrice"])
    assert float(full["bidPrice"]) < float(full["askPrice"])
    mini = client.public("ticker/24hr", symbol="ETHBTC", type="MINI").json()
    assert set(mini) < set(full)
    assert mini["volume"] == full["volume"]
    average = client.public("avgPrice", symbol="ETHBTC").json()
    assert average["mins"] == 5
    assert float(full["lowPrice"]) <= float(average["price"]) <= float(full["highPrice"])


def test_amounts_have_exactly_eight_decimals(client: BinanceClient) -> None:
    symbol = {"symbol": "ETHBTC"}
    for path, parameters in (
        ("depth", symbol), ("trades", symbol), ("aggTrades", symbol), ("avgPrice", symbol),
        ("ticker/price", {}), ("ticker/bookTicker", {}), ("exchangeInfo", symbol),
    ):  # fmt: skip
        amounts = amounts_in(client.public(path, **parameters).json())
        assert amounts, path
        assert all(AMOUNT.fullmatch(amount) for amount in amounts), path


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("fapi/v1/exchangeInfo", {"symbols": []}),
        ("dapi/v1/exchangeInfo", {"symbols": []}),
        ("sapi/v1/system/status", {"status": 0, "msg": "normal"}),
    ],
)
def test_beside_it(client: BinanceClient, path: str, answer: object) -> None:
    assert client.public(f"../../{path}").json() == answer
