"""The document of the sockets: served, well formed, and complete."""

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, ValidationError

from exchange_site.tests.running import RunningExchange
from realtime.api.calls import known_methods
from realtime.asyncapi.document import document
from realtime.tests.sockets import validate_stream


def test_every_method_is_described() -> None:
    described = {message.get("title") for message in _payloads("api")}
    assert known_methods() <= described


def test_every_schema_is_one() -> None:
    for channel in document()["channels"]:
        for schema in _payloads(channel):
            Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "message",
    [{}, {"e": "trade"}, {"result": None}, {"lastUpdateId": 1, "bids": [["1", "2"]], "asks": []}],
)
def test_what_is_not_described_is_noticed(message: Any) -> None:
    with pytest.raises(ValidationError):
        validate_stream(message)


def test_it_is_served(exchange: RunningExchange) -> None:
    served = httpx.get(f"{exchange.url}/schema/sockets")
    assert served.json()["asyncapi"] == "3.0.0"
    page = httpx.get(f"{exchange.url}/docs/sockets")
    assert page.status_code == 200
    assert "order.place" in page.text


def _payloads(channel: str) -> list[Any]:
    return [message["payload"] for message in document()["channels"][channel]["messages"].values()]
