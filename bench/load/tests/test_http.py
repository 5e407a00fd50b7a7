"""Requests are signed as the exchange wants them, and answers are judged by what they hold."""

import pytest

from accounts.signatures import signed_request, verify
from bench.load.http import judged
from bench.load.pacing import Outcome
from bench.load.plan import Plan, User, Way
from bench.load.writing import HttpWriter

USER = User("key", "secret")


def plan(way: Way, together: int = 1) -> Plan:
    return Plan(
        url="http://127.0.0.1:1", users=[USER], seconds=1, way=way, connections=1, together=together
    )


@pytest.mark.parametrize(
    ("way", "together", "start"),
    [
        ("rest", 1, b"POST /api/v1/order?timestamp="),
        ("rest", 20, b"POST /api/v1/orders?timestamp="),
        ("v3", 1, b"POST /api/v3/order?symbol=ETHBTC&side=SELL&"),
        ("get", 1, b"GET /?timestamp="),
    ],
)
def test_a_request_is_signed_over_query_and_body(way: Way, together: int, start: bytes) -> None:
    request = HttpWriter(plan(way, together), USER).write(sells=True)

    head, _, body = request.partition(b"\r\n\r\n")
    query = head.split(b"\r\n")[0].split(b" ")[1].partition(b"?")[2]
    signed = signed_request(query, body, form_body=False)
    assert request.startswith(start)
    assert signed.signature is not None
    assert verify(b"secret", signed.payload, signed.signature)
    assert (b"Content-Length: %d" % len(body) in head) == bool(body)


@pytest.mark.parametrize(
    ("status", "body", "way", "together", "counts"),
    [
        (200, b'{"order_id":7,"status":"filled"}', "rest", 1, (1, 0, 0)),
        (200, b'{"orderId":7,"status":"FILLED"}', "v3", 1, (1, 0, 0)),
        (200, b"{}", "get", 1, (1, 0, 0)),
        (401, b"{}", "get", 1, (0, 1, 0)),
        (422, b'{"code":"INSUFFICIENT_FUNDS","status":422}', "rest", 1, (0, 1, 0)),
        (503, b'{"code":"ENGINE_OVERLOADED","status":503}', "rest", 3, (0, 3, 0)),
        (504, b'{"code":"STATUS_UNKNOWN","status":504}', "rest", 1, (0, 0, 1)),
        (504, b'{"code":-1007,"msg":"timeout"}', "v3", 1, (0, 0, 1)),
        (
            200,
            b'[{"order_id":7},{"code":"INVALID_FIELD"},{"code":"STATUS_UNKNOWN"}]',
            "rest",
            3,
            (1, 1, 1),
        ),
    ],
)
def test_only_an_order_with_a_result_counts(
    status: int, body: bytes, way: Way, together: int, counts: tuple[int, int, int]
) -> None:
    outcome = judged(status, body, plan(way, together), sells=True)

    assert outcome == Outcome(*counts, sells=True)
