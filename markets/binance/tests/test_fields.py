"""A list of orders is read at once where it can be: never otherwise than one by one."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.binance.errors import BinanceError
from markets.binance.fields import Time, decode, decode_list
from markets.binance.queries import CancelQuery, NewOrder
from realtime.api.messages import parse_list

PLAIN = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000.1",
    "quantity": "0.5",
    "newClientOrderId": "a-1",
    "trailingDelta": 5,
}

HOSTILE = [
    ("symbol", "BTCUSDT\n"),
    ("symbol", "btcusdt"),
    ("symbol", ""),
    ("symbol", None),
    ("side", "buy"),
    ("side", 1),
    ("type", "STOP"),
    ("timeInForce", ""),
    ("price", 50000.1),
    ("price", "1e5"),
    ("price", "-1"),
    ("price", "+1"),
    ("price", " 1"),
    ("price", "1\n"),
    ("price", "1."),
    ("price", ".1"),
    ("price", "1" * 21),
    ("price", "\uff11"),
    ("price", "\ud800"),
    ("quantity", ["1"]),
    ("quantity", {"a": "1"}),
    ("newClientOrderId", "a b"),
    ("newClientOrderId", "a" * 37),
    ("newClientOrderId", "\u00e9"),
    ("newClientOrderId", "null"),
    ("trailingDelta", "5"),
    ("trailingDelta", -1),
    ("trailingDelta", 2**63),
    ("trailingDelta", 10**30),
    ("trailingDelta", 1.0),
    ("trailingDelta", True),
    ("unknown", "1"),
    ("signature", "1"),
]

texts = st.text('01359.-+e \nABCTUSDbuy\uff11\\"', max_size=12)
values = st.one_of(
    texts,
    st.integers(-2, 2**64),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)
items = st.builds(
    lambda changes: {**PLAIN, **changes},
    st.dictionaries(st.sampled_from([*PLAIN, "unknown", "icebergQty"]), values, max_size=3),
)


def one_by_one(text: str) -> list[NewOrder]:
    return [decode(item, NewOrder) for item in parse_list({"orders": text}, "orders", most=100)]


def test_what_is_written_plainly_is_read_at_once() -> None:
    text = json.dumps([PLAIN, {**PLAIN, "side": "SELL"}])
    assert decode_list(text, NewOrder) == one_by_one(text)


def test_cancels_are_read_likewise() -> None:
    text = '[{"symbol":"BTCUSDT","orderId":7},{"symbol":"BTCUSDT","origClientOrderId":"a"}]'
    assert decode_list(text, CancelQuery) == [
        CancelQuery("BTCUSDT", order_id=7),
        CancelQuery("BTCUSDT", orig_client_order_id="a"),
    ]


@pytest.mark.parametrize(("name", "value"), HOSTILE)
def test_what_is_written_in_other_ways_is_left(name: str, value: object) -> None:
    text = json.dumps([PLAIN, {**PLAIN, name: value}], ensure_ascii=False)
    assert decode_list(text, NewOrder) is None


@pytest.mark.parametrize("text", ["", "{}", "[", "[1]", "7", '["a"]', "[" * 2_000])
def test_what_is_no_list_of_objects_is_left(text: str) -> None:
    assert decode_list(text, NewOrder) is None


@given(st.lists(items, min_size=1, max_size=3), st.booleans())
def test_it_never_differs_from_reading_one_by_one(given_items: list[object], ascii: bool) -> None:
    text = json.dumps(given_items, ensure_ascii=ascii)
    found = decode_list(text, NewOrder)
    if found is not None:
        assert found == one_by_one(text)


def test_one_by_one_says_what_is_wrong() -> None:
    with pytest.raises(BinanceError):
        one_by_one(json.dumps([{**PLAIN, "price": "1e5"}]))


def test_a_times_bounds_are_in_its_schema() -> None:
    schema = msgspec.json.schema(Time)
    assert (schema["minimum"], schema["maximum"]) == (0, 2**63 - 1)
    assert set(schema) == {"type", "minimum", "maximum", "description"}
