"""The loop, against a whole exchange and against one that fails."""

import stat
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from accounts.models import ApiKey
from accounts.services import api_key_revoke
from exchange_site.tests.processes import wait_until
from markets.market_maker.api import Api, Key, Unsure
from markets.market_maker.maker import MarketMaker
from markets.market_maker.parameters import Parameters, Rules
from markets.market_maker.users import MAKER, TAKER, obtain_keys

MARKET = "MAKERUSDT"
RULES = Rules(MARKET, Decimal("0.01"), Decimal("0.001"), Decimal(5))
FUNDS = {"SOL": "100000", "USDT": "10000000"}


def maker_of(api: Api, keys: dict[str, Key], **parameters: Any) -> MarketMaker:
    wanted = Parameters(url="", markets={MARKET: "100"}, seed=1, **parameters)
    return MarketMaker(wanted, api, keys, {MARKET: RULES}, lambda *_: None)


@pytest.fixture(scope="module")
def keys(exchange: Any) -> dict[str, Key]:
    exchange.define_market(
        MARKET, base="SOL", quote="USDT", tick="0.01", step="0.001", min_notional="5"
    )
    created = {n: exchange.create_user(f"test-{n}", fund=FUNDS) for n in (MAKER, TAKER)}
    return {n: Key(c["api_key"], c["secret_key"]) for n, c in created.items()}


@pytest.fixture
def api(exchange: Any, keys: dict[str, Key]) -> Iterator[Api]:
    api = Api(exchange.url)
    yield api
    for key in keys.values():
        api.send(key, "DELETE", "/orders")
    api.close()


def levels_of(api: Api) -> int:
    """Of the side that has fewer."""
    depth = api.send(None, "GET", "/depth", query={"symbol": MARKET})
    return min(len(depth["bids"]), len(depth["asks"]))


def test_a_market_is_liquid_and_trades(api: Api, keys: dict[str, Key]) -> None:
    maker = maker_of(api, keys, take_chance=1.0)
    maker.start()
    for _ in range(5):
        maker.turn()
    wait_until(lambda: levels_of(api) >= 20, "the published book has both sides")
    depth = api.send(None, "GET", "/depth", query={"symbol": MARKET})
    assert float(depth["bids"][0][0]) < float(depth["asks"][0][0])
    assert 95 < float(depth["bids"][0][0]) < 105
    fills = api.send(keys[TAKER], "GET", "/fills")
    assert fills
    assert {fill["liquidity"] for fill in fills} == {"taker"}
    assert {fill["liquidity"] for fill in api.send(keys[MAKER], "GET", "/fills")} == {"maker"}


def test_a_restart_begins_from_nothing_and_goes_on_at_the_last_price(
    api: Api, keys: dict[str, Key]
) -> None:
    first = maker_of(api, keys, take_chance=1.0)
    first.start()
    first.turn()
    last = api.send(keys[TAKER], "GET", "/fills")[-1]["price"]
    market: dict[str, object] = {"symbol": MARKET}
    wait_until(
        lambda: api.send(None, "GET", "/tickers", query=market)["last"] == last,
        "the tickers know the last trade",
    )
    second = maker_of(api, keys)
    second.start()
    assert api.send(keys[MAKER], "GET", "/order/open") == []
    (quoted,) = second._markets
    assert quoted.walk.price == float(last)


class FailingApi:
    """Takes orders until `fail_at` requests were sent, then fails once and is well again."""

    def __init__(self, fail_at: int, stop: Event) -> None:
        self.sent: list[str] = []
        self._fail_at = fail_at
        self._stop = stop
        self._orders = 0

    def send(self, key: Any, method: str, path: str, *, query: Any = None, body: Any = None) -> Any:
        self.sent.append(f"{method} {path}")
        if len(self.sent) == self._fail_at:
            raise Unsure("504")
        if len(self.sent) > 30:
            self._stop.set()
        match method, path:
            case "POST", "/orders":
                self._orders += len(body["orders"])
                return [{"order_id": self._orders + i} for i in range(len(body["orders"]))]
            case "DELETE", "/orders" if body:
                return [{} for _ in body["orders"]]
            case _:
                return []


def test_anything_uncertain_cancels_all_and_quotes_anew() -> None:
    stop = Event()
    api = FailingApi(12, stop)
    keys = {MAKER: Key("m", ""), TAKER: Key("t", "")}
    maker = maker_of(api, keys, interval_s=0.001)  # type: ignore[arg-type]
    maker.run(stop)
    assert api.sent[:2] == ["DELETE /orders"] * 2
    assert api.sent[12:14] == ["DELETE /orders"] * 2  # one of each user
    assert "POST /orders" in api.sent[14:]


@pytest.mark.django_db
def test_keys_are_private_kept_and_replaced_when_they_no_longer_work(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = obtain_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert obtain_keys(path) == keys
    assert {k.tier for k in ApiKey.objects.all()} == {"maker"}
    api_key_revoke(api_key=ApiKey.objects.get(key=keys[MAKER].key))
    again = obtain_keys(path)
    assert again[MAKER] != keys[MAKER]
    assert again[TAKER] == keys[TAKER]
