"""Who is let in: by a signed key, a bearer token, or a session with CSRF."""

from typing import Any

import httpx
import pytest

from markets.tests.native import NativeClient, order


@pytest.fixture(scope="module")
def credentials(exchange: Any) -> Any:
    return exchange.create_user("callers", fund={"BTC": "1"})


@pytest.fixture(scope="module")
def client(exchange: Any, credentials: Any) -> NativeClient:
    return NativeClient(exchange.url, credentials)


def test_a_signed_request(client: NativeClient) -> None:
    assert client.get("/balances").status_code == 200


@pytest.mark.parametrize("path", ["balances", "order/open", "order?symbol=ETHBTC&order_id=1"])
def test_without_credentials(exchange: Any, path: str) -> None:
    answer = httpx.get(f"{exchange.url}/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (401, "NOT_AUTHENTICATED")
    assert answer.headers["www-authenticate"]


def test_market_data_needs_none(exchange: Any, credentials: Any) -> None:
    url = f"{exchange.url}/api/v1/tickers"
    assert httpx.get(url).status_code == 200
    known = httpx.get(url, headers={"X-MBX-APIKEY": credentials["api_key"]})
    assert known.status_code == 200


@pytest.mark.parametrize("key", ["x" * 64, "x" * 1000])
def test_an_unknown_key(client: NativeClient, key: str) -> None:
    answer = client.send("GET", "/balances", key=key)
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_API_KEY")


def test_a_key_alone(exchange: Any, credentials: Any) -> None:
    answer = httpx.get(
        f"{exchange.url}/api/v1/balances", headers={"X-MBX-APIKEY": credentials["api_key"]}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_SIGNATURE")


def test_a_changed_body(client: NativeClient) -> None:
    answer = client.send("POST", "/order", body=b"{}", tamper=b" ")
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_SIGNATURE")


@pytest.mark.parametrize("age_ms", [6_000, -60_000])
def test_the_wrong_time(client: NativeClient, age_ms: int) -> None:
    answer = client.send("GET", "/balances", age_ms=age_ms)
    assert (answer.status_code, answer.json()["code"]) == (401, "OUTSIDE_RECV_WINDOW")


def test_an_older_request_within_its_window(client: NativeClient) -> None:
    answer = client.send("GET", "/balances", {"recvWindow": 60_000}, age_ms=6_000)
    assert answer.status_code == 200


def test_a_key_that_only_reads(exchange: Any) -> None:
    reader = NativeClient(exchange.url, exchange.create_user("callers-reader", scope=["read"]))
    assert reader.get("/balances").status_code == 200
    answer = reader.post("/order", order())
    assert (answer.status_code, answer.json()["code"]) == (403, "SCOPE_MISSING")
