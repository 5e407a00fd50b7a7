"""The API's own way through Django says and refuses what the way of the pages does."""

import itertools
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange
from markets.tests.native import NativeClient, order

PUBLIC = "/api/v1/markets?symbol=ETHBTC"
BY_SESSION = {"Cookie": "sessionid=of-nobody"}


@pytest.mark.parametrize("headers", [{}, BY_SESSION])
def test_both_ways_give_the_same_answer(exchange: RunningExchange, headers: dict[str, str]) -> None:
    answer = httpx.get(exchange.url + PUBLIC, headers=headers)
    assert answer.json()["symbol"] == "ETHBTC"
    said = {name: value for name, value in answer.headers.items() if name not in {"date", "vary"}}
    assert said == {
        "content-type": "application/json",
        "content-length": str(len(answer.content)),
        "allow": "GET, HEAD, OPTIONS",
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }


@pytest.mark.parametrize("headers", [{}, BY_SESSION])
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "NOT_FOUND"),
        ("PUT", "/api/v1/order", 401, "NOT_AUTHENTICATED"),
        ("DELETE", PUBLIC, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/balances", 401, "NOT_AUTHENTICATED"),
        ("GET", "/api/v1/depth?symbol=NOPE", 404, "UNKNOWN_MARKET"),
    ],
)
def test_and_the_same_problems(
    exchange: RunningExchange,
    method: str,
    path: str,
    status: int,
    code: str,
    headers: dict[str, str],
) -> None:
    answer = httpx.request(method, exchange.url + path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("headers", [{}, BY_SESSION])
def test_a_name_that_is_not_ours(exchange: RunningExchange, headers: dict[str, str]) -> None:
    answer = httpx.get(exchange.url + PUBLIC, headers={"Host": "elsewhere.example", **headers})
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


def test_a_query_that_is_no_text(exchange: RunningExchange) -> None:
    host, port = urlsplit(exchange.url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"GET /api/v1/markets?symbol=\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_long_body_without_a_length(exchange: RunningExchange) -> None:
    def chunks() -> Any:
        yield from [b" " * 1000] * 1000

    with httpx.Client(base_url=exchange.url, timeout=20) as plain:
        answer = plain.post("/api/v3/order", content=chunks())
        assert answer.status_code == 413
        assert plain.get(PUBLIC).status_code == 200


def test_an_order_is_placed_whether_or_not_its_answer_is_waited_for(
    exchange: RunningExchange,
) -> None:
    exchange.define_market("HASTYBTC", base="ETH", quote="BTC", tick="0.00001", step="0.001")
    credentials = exchange.create_user("api-handler", fund={"BTC": "1"})
    hasty = NativeClient(exchange.url, credentials, patience_s=0.0001)
    for attempt in itertools.count():  # until an answer is not quicker
        name = f"hasty-{attempt}"
        try:
            hasty.post("/order", order(symbol="HASTYBTC", client_order_id=name))
        except httpx.ReadTimeout:
            break
    client = NativeClient(exchange.url, credentials)
    wait_until(
        lambda: client.get("/order", symbol="HASTYBTC", client_order_id=name).is_success,
        "the engine has it",
    )
