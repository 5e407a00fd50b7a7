"""The OpenAPI schema of this surface: valid, whole, and apart from that of the native API."""

from typing import Any

import httpx
import pytest
from drf_spectacular.validation import validate_schema

from markets.binance.endpoints import API_V3
from markets.binance.fields import _rules


@pytest.fixture(scope="module")
def schema(exchange: Any) -> Any:
    return httpx.get(f"{exchange.url}/schema/v3", timeout=20).json()


def test_it_is_valid(schema: Any) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]


def test_every_endpoint_is_in_it_with_its_parameters(schema: Any) -> None:
    assert set(schema["paths"]) == {f"/api/v3/{path}" for path in API_V3}
    for path, methods in API_V3.items():
        operations = schema["paths"][f"/api/v3/{path}"]
        assert set(operations) == {method.lower() for method in methods}
        for method, endpoint in methods.items():
            operation = operations[method.lower()]
            named = {parameter["name"] for parameter in operation.get("parameters", ())}
            assert named >= set(_rules(endpoint.parameters).known)
            assert ("signature" in named) == endpoint.security.is_signed
            assert {"200", "400", "401", "418", "429"} <= set(operation["responses"])


def test_the_native_schema_is_as_it_was(exchange: Any) -> None:
    native = httpx.get(f"{exchange.url}/schema", timeout=20).json()
    assert "/api/v1/orders" in native["paths"]
    assert all(path.startswith("/api/v1/") for path in native["paths"])
    assert native["info"]["title"] == "Exchange"


@pytest.mark.parametrize("path", ["/docs", "/docs/v3"])
def test_both_can_be_browsed(exchange: Any, path: str) -> None:
    page = httpx.get(f"{exchange.url}{path}", timeout=20)
    assert page.status_code == 200
    assert "swagger-ui" in page.text
    assert "'unsafe-inline'" in page.headers["content-security-policy"]
