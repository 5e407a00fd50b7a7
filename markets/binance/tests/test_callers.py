"""Who is let in: keys, signatures over raw bytes, timestamps, scopes, addresses."""

import time
from typing import Any

import pytest

from markets.binance import callers
from markets.binance.tests.client import BinanceClient, order, said, stamped

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
SIGNATURE = (-1022, "Signature for this request is not valid.")
REJECTED = (-2015, "Invalid API-key, IP, or permissions for action.")


@pytest.fixture(scope="module")
def credentials(exchange: Any) -> Any:
    return exchange.create_user("v3-callers", fund={"BTC": "5"})


@pytest.fixture(scope="module")
def client(exchange: Any, credentials: Any) -> BinanceClient:
    return BinanceClient(exchange.url, credentials, address="127.0.1.2")


def cancel_everything(client: BinanceClient) -> None:
    client.delete("openOrders", symbol="ETHBTC")


def test_signed_in_the_query_the_body_or_both(client: BinanceClient) -> None:
    """The three examples of the documentation, and the signature in the query of a form's."""
    whole = stamped(order())
    first, second = stamped({"symbol": "ETHBTC", "side": "BUY"}), "&".join(
        part for part in whole.split("&") if part[:4] not in {"symb", "side", "time"}
    )  # fmt: skip
    second += "&timeInForce=GTC"
    mixed = client.signature(first + second)
    requests: list[dict[str, Any]] = [
        {"body": client.sign(whole).encode(), "headers": FORM},
        {"query": client.sign(whole)},
        {"query": first, "body": f"{second}&signature={mixed}".encode(), "headers": FORM},
        {"query": f"{first}&signature={mixed}", "body": second.encode(), "headers": FORM},
    ]
    for request in requests:
        answer = client.raw("POST", "order", **request)
        assert answer.status_code == 200, (answer.text, request)
    assert len(client.get("openOrders", symbol="ETHBTC").json()) == len(requests)
    cancel_everything(client)


@pytest.mark.parametrize("label", [FORM, JSON, {"Content-Type": "text/plain"}, {}])
def test_a_form_body_whatever_its_label(client: BinanceClient, label: dict[str, str]) -> None:
    body = client.sign(stamped(order())).encode()
    placed = client.raw("POST", "order", body=body, headers=label)
    assert placed.status_code == 200, placed.text
    cancel = stamped({"symbol": "ETHBTC", "orderId": placed.json()["orderId"]})
    canceled = client.raw("DELETE", "order", body=client.sign(cancel).encode(), headers=label)
    assert canceled.json()["status"] == "CANCELED"


def test_an_empty_body_that_is_labelled_json(client: BinanceClient) -> None:
    placed = client.raw("POST", "order", query=client.sign(stamped(order())), headers=JSON)
    assert placed.status_code == 200, placed.text
    cancel_everything(client)


def test_a_parameter_in_both_is_the_querys(client: BinanceClient) -> None:
    query, body = stamped(order(price="0.021")), "price=0.022&quantity=7"
    signature = client.signature(query + body)
    placed = client.raw("POST", "order", query=f"{query}&signature={signature}", body=body.encode())
    assert placed.json()["price"] == "0.02100000"
    assert placed.json()["origQty"] == "1.00000000"
    cancel_everything(client)


def test_a_parameter_twice(client: BinanceClient) -> None:
    query = client.sign(stamped({"symbol": "ETHBTC"}) + "&symbol=BTCUSDT")
    answer = client.raw("GET", "openOrders", query=query)
    assert said(answer) == (-1101, "Duplicate values for a parameter detected.")


def test_hexadecimal_of_either_case(client: BinanceClient) -> None:
    query = stamped({})
    upper = client.signature(query).upper()
    assert client.raw("GET", "account", query=f"{query}&signature={upper}").status_code == 200


def test_what_was_signed_is_what_was_sent(client: BinanceClient) -> None:
    """Escapes are signed as they stand; another spelling of the same text has another signature."""
    escaped = stamped({}) + "&omitZeroBalances=%74rue"
    assert client.raw("GET", "account", query=client.sign(escaped)).status_code == 200
    spelled = escaped.replace("%74", "t")
    answer = client.raw("GET", "account", query=f"{spelled}&signature={client.signature(escaped)}")
    assert said(answer) == SIGNATURE


@pytest.mark.parametrize("signature", ["0" * 64, "x", "é", "0" * 5000])
def test_a_wrong_signature(client: BinanceClient, signature: str) -> None:
    answer = client.raw("GET", "account", query=f"{stamped({})}&signature={signature}")
    assert (answer.status_code, *said(answer)) == (400, *SIGNATURE)


def test_no_signature(client: BinanceClient) -> None:
    for query in (stamped({}), f"{stamped({})}&signature="):
        answer = client.raw("GET", "account", query=query)
        assert said(answer) == (
            -1102,
            "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
        )


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("recvWindow=5000", (-1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, "
            "or malformed.")),
        ("timestamp=soon", (-1100, "Illegal characters found in parameter 'timestamp'; legal range "
            "is '^[0-9]{1,20}$'.")),
        ("timestamp={now}&recvWindow=-1", (-1100, "Illegal characters found in parameter "
            "'recvWindow'; legal range is '^[0-9]{1,20}$'.")),
        ("timestamp={now}&recvWindow=60001", (-1102, "'recvWindow' contains "
            "unexpected value. Cannot be greater than 60000.")),
        ("timestamp=1499827319559", (-1021,
            "Timestamp for this request is outside of the recvWindow.")),
        ("timestamp=9499827319559", (-1021,
            "Timestamp for this request was 1000ms ahead of the server's time.")),
    ],
)  # fmt: skip
def test_timestamps(client: BinanceClient, query: str, error: tuple[int, str]) -> None:
    query = query.format(now=time.time_ns() // 1_000_000)
    answer = client.raw("GET", "account", query=client.sign(query))
    assert (answer.status_code, *said(answer)) == (400, *error)


def test_a_recv_window_of_the_callers_choice(client: BinanceClient) -> None:
    old = stamped({"recvWindow": 60_000}, age_ms=30_000)
    assert client.raw("GET", "account", query=client.sign(old)).status_code == 200


def test_no_key_and_unknown_keys(exchange: Any) -> None:
    nobody = BinanceClient(exchange.url, address="127.0.1.2")
    malformed = (-2014, "API-key format invalid.")
    for key in (None, "", "x" * 65, "a-b"):
        headers = {} if key is None else {"X-MBX-APIKEY": key}
        answer = nobody.raw("GET", "account", query="timestamp=1", headers=headers)
        assert (answer.status_code, *said(answer)) == (401, *malformed), key
    unknown = nobody.raw(
        "GET", "account", query="timestamp=1&signature=00", headers={"X-MBX-APIKEY": "x" * 64}
    )
    assert (unknown.status_code, *said(unknown)) == (401, *REJECTED)


def test_scopes(exchange: Any) -> None:
    reader = exchange.create_user("v3-reader", fund={"BTC": "1"}, scope=("read",))
    client = BinanceClient(exchange.url, reader, address="127.0.1.2")
    account = client.get("account")
    assert account.status_code == 200
    assert account.json()["canTrade"] is False
    for method, path in (("POST", "order"), ("POST", "order/test"), ("DELETE", "openOrders")):
        answer = client.signed(method, path, order())
        assert (answer.status_code, *said(answer)) == (401, *REJECTED)


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("ping", "%ff=1", None),
        ("depth", "symbol=%ff", None),
        ("depth", "symbol=%00", None),
        ("order", "", b"\xff\xfe=1"),
        ("order", "&".join(f"p{i}=1" for i in range(300)), None),
        ("order", "", b"x=" + b"1" * 70_000),
        ("order", "", b'{"symbol":"ETHBTC"}'),
        ("order", "=&&=1", None),
    ],
)
def test_hostile_parameters(
    client: BinanceClient, path: str, query: str, body: bytes | None
) -> None:
    method = "POST" if path == "order" else "GET"
    answer = client.raw(method, path, query=query, body=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert set(answer.json()) == {"code", "msg"}


def test_what_a_request_waits_for_here_is_of_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1_000.0
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000 * 1_000_000)
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    until = callers.valid_until_s({"timestamp": "1699999999500", "recvWindow": "2000"})
    caller = callers.Caller(signed=True, valid_until_s=until)
    assert caller.valid_ms == 1_500
    now_s += 1
    assert caller.valid_ms == 500
    now_s += 60
    assert caller.valid_ms == 0
