"""Fields of requests: every one known, none missing, none bent."""

from typing import Annotated

import msgspec
import pytest
from django.http import QueryDict

from engine.core.types import Side
from exchange_site.api.fields import (
    Amount,
    ClientOrderId,
    Id,
    Symbol,
    decode_fields,
    decode_query,
)
from exchange_site.errors import FieldInvalid


class Wanted(msgspec.Struct, frozen=True):
    symbol: Symbol
    side: Side = Side.BUY
    price: Amount | None = None
    client_order_id: ClientOrderId | None = None
    order_id: Id | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10)] = 5
    post_only: bool = False


def test_works() -> None:
    fields = {"symbol": "BTCUSDT", "side": "sell", "price": "0.1", "order_id": 7}
    assert decode_fields(fields, Wanted) == Wanted("BTCUSDT", Side.SELL, "0.1", None, 7)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({}, "symbol", "MISSING_FIELD"),
        ({"symbol": "BTC", "x": 1}, "x", "UNKNOWN_FIELD"),
        ({"symbol": "BTC", "signature": "a"}, "signature", "UNKNOWN_FIELD"),
        ({"symbol": None}, "symbol", "INVALID_FIELD"),
        ({"symbol": "btc"}, "symbol", "INVALID_FIELD"),
        ({"symbol": "BTC\n"}, "symbol", "INVALID_FIELD"),
        ({"symbol": "ＢＴＣ"}, "symbol", "INVALID_FIELD"),  # noqa: RUF001
        ({"symbol": "B" * 21}, "symbol", "INVALID_FIELD"),
        ({"symbol": ["BTC"]}, "symbol", "INVALID_FIELD"),
        ({"symbol": "BTC", "side": "BUY"}, "side", "INVALID_FIELD"),
        ({"symbol": "BTC", "side": {}}, "side", "INVALID_FIELD"),
        ({"symbol": "BTC", "price": 0.1}, "price", "INVALID_DECIMAL"),
        ({"symbol": "BTC", "price": 1}, "price", "INVALID_DECIMAL"),
        ({"symbol": "BTC", "price": True}, "price", "INVALID_DECIMAL"),
        ({"symbol": "BTC", "client_order_id": ""}, "client_order_id", "INVALID_FIELD"),
        ({"symbol": "BTC", "client_order_id": "a b"}, "client_order_id", "INVALID_FIELD"),
        ({"symbol": "BTC", "client_order_id": "a\n"}, "client_order_id", "INVALID_FIELD"),
        ({"symbol": "BTC", "client_order_id": "a" * 37}, "client_order_id", "INVALID_FIELD"),
        ({"symbol": "BTC", "order_id": "7"}, "order_id", "INVALID_FIELD"),
        ({"symbol": "BTC", "order_id": 7.5}, "order_id", "INVALID_FIELD"),
        ({"symbol": "BTC", "order_id": -1}, "order_id", "INVALID_FIELD"),
        ({"symbol": "BTC", "order_id": 2**63}, "order_id", "INVALID_FIELD"),
        ({"symbol": "BTC", "limit": 0}, "limit", "INVALID_FIELD"),
        ({"symbol": "BTC", "post_only": 1}, "post_only", "INVALID_FIELD"),
        ({"symbol": "BTC", "post_only": "true"}, "post_only", "INVALID_FIELD"),
    ],
)
def test_malformed(fields: dict[str, object], field: str, code: str) -> None:
    with pytest.raises(FieldInvalid) as caught:
        decode_fields(fields, Wanted)
    assert (caught.value.field, caught.value.code) == (field, code)


def test_a_query_string() -> None:
    query = QueryDict("symbol=BTC&order_id=7&limit=3&timestamp=1&recvWindow=2&signature=ab")
    assert decode_query(query, Wanted) == Wanted("BTC", order_id=7, limit=3)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("symbol=BTC&symbol=BTC", "symbol"),
        ("symbol=BTC&limit=1e0", "limit"),
        ("symbol=BTC&limit=%EF%BC%91", "limit"),
        ("symbol=BTC&limit=", "limit"),
        ("symbol=BTC&limit=11", "limit"),
        ("symbol=BTC&order_id=" + "9" * 5000, "order_id"),
        ("symbol=BTC%0A", "symbol"),
        ("symbol=BTC%00", "symbol"),
        ("symbol=%FF", "symbol"),
        ("symbol=BTC&order_id=null", "order_id"),
    ],
)
def test_malformed_query(query: str, field: str) -> None:
    with pytest.raises(FieldInvalid) as caught:
        decode_query(QueryDict(query), Wanted)
    assert (caught.value.field, caught.value.code) == (field, "INVALID_FIELD")
