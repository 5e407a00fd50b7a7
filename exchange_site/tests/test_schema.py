"""The OpenAPI schema is valid, complete and made without a warning."""

import io

import pytest
import yaml
from django.core.management import call_command
from rest_framework.permissions import AllowAny

from markets.api.urls import urlpatterns

Schema = dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]


@pytest.fixture(scope="module")
def schema() -> Schema:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    loaded: Schema = yaml.safe_load(out.getvalue())
    return loaded


def test_every_path_is_in_it(
    schema: Schema,
) -> None:
    assert set(schema["paths"]) == {f"/api/v1/{pattern.pattern}" for pattern in urlpatterns}


def test_every_operation_says_how_it_fails(
    schema: Schema,
) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert "application/problem+json" in str(operation["responses"]["400"])
            assert operation["operationId"]


def test_one_ticker_or_all(schema: Schema) -> None:
    answer = schema["paths"]["/api/v1/tickers"]["get"]["responses"]["200"]
    one = {"$ref": "#/components/schemas/TickerOut"}
    assert answer["content"]["application/json"]["schema"] == {  # type: ignore[index]
        "oneOf": [one, {"type": "array", "items": one}]
    }


def test_public_is_only_what_is_meant_to_be() -> None:
    public = {
        str(pattern.pattern)
        for pattern in urlpatterns
        if AllowAny in vars(pattern.callback)["cls"].permission_classes
    }
    assert public == {"depth", "kline", "markets", "tickers", "trades"}
