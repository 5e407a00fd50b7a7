"""Answers of the WebSocket API are judged by what they hold."""

import msgspec
import pytest

from bench.load.api_sockets import Answer, judged
from bench.load.pacing import Outcome
from bench.load.plan import Plan
from bench.load.writing import ApiWriter


@pytest.mark.parametrize(
    ("text", "together", "counts"),
    [
        ('{"id":1,"status":200,"result":{"orderId":7}}', 1, (1, 0, 0)),
        ('{"id":1,"status":400,"error":{"code":-2010}}', 1, (0, 1, 0)),
        ('{"id":1,"status":504,"error":{"code":-1007}}', 1, (0, 0, 1)),
        ('{"id":1,"status":503,"error":{"code":-1008}}', 20, (0, 20, 0)),
        (
            '{"id":1,"status":200,"result":[{"status":200,"result":{"orderId":7}},'
            '{"status":400,"error":{"code":-2010}},{"status":504,"error":{"code":-1007}}]}',
            3,
            (1, 1, 1),
        ),
    ],
)
def test_only_an_order_with_a_result_counts(
    text: str, together: int, counts: tuple[int, int, int]
) -> None:
    answer = msgspec.json.decode(text, type=Answer)

    assert judged(answer, together, sells=False) == Outcome(*counts, sells=False)


@pytest.mark.parametrize(("together", "method"), [(1, "order.place"), (3, "orders.place")])
def test_a_request_has_all_its_orders(together: int, method: str) -> None:
    plan = Plan(url="", users=[], seconds=1, connections=1, together=together)

    request = msgspec.json.decode(ApiWriter(plan).write(5, sells=True))

    params = request["params"]
    orders = params.get("orders") or [params]
    assert (request["id"], request["method"], len(orders)) == (5, method, together)
    assert {(order["side"], order["symbol"]) for order in orders} == {("SELL", "ETHBTC")}
    assert params["timestamp"] > 0
