"""The OpenAPI schema: msgspec structs as components, problems on every operation."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Iterable
from types import UnionType
from typing import Any, get_args, get_origin

import drf_spectacular.authentication
import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse

from exchange_site.api.fields import flatten
from exchange_site.api.problems import CONTENT_TYPE, PROBLEMS, Problem

_REF = "#/components/schemas/{name}"


class StructExtension(OpenApiSerializerExtension):
    """A msgspec struct wherever a serializer may stand."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: SpectacularAutoSchema, direction: Direction) -> str:
        return str(self.target.__name__)

    def map_serializer(
        self, auto_schema: SpectacularAutoSchema, direction: Direction
    ) -> dict[str, Any]:
        _, components = msgspec.json.schema_components([self.target], ref_template=_REF)
        own: dict[str, Any] = components.pop(self.target.__name__)
        structs = {kind.__name__: kind for kind in _structs_in(self.target)}
        for name, schema in components.items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(
                    name=name,
                    type=ResolvedComponent.SCHEMA,
                    object=structs.get(name, name),
                    schema=schema,
                )
            )
        return own


def _structs_in(struct: type[msgspec.Struct]) -> Iterable[type[msgspec.Struct]]:
    for field in msgspec.structs.fields(struct):
        for kind in flatten(field.type):
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                yield kind
                yield from _structs_in(kind)


class AutoSchema(SpectacularAutoSchema):
    """Adds the problems that an operation can answer with.

    Always 400 and 429; 401 and 403 where a caller must be known; 413 and 415 where there is a
    body; and those in the view's `problem_statuses`.
    """

    error_content_type = CONTENT_TYPE

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, response in self.error_responses().items():
            bodies[str(status)] = self._get_response_for_code(
                response, str(status), [self.error_content_type], direction
            )
        return bodies

    def error_responses(self) -> dict[int, OpenApiResponse]:
        """How the operation can fail, by HTTP status."""
        return {
            status: OpenApiResponse(Problem, description=_description(status))
            for status in sorted(self._problem_statuses())
        }

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: list[str] | None = None,
        direction: Direction = "response",
    ) -> dict[str, Any]:
        if get_origin(serializer) in {list, UnionType}:
            serializer = self._schema_of(serializer, direction)
        response: dict[str, Any] = super()._get_response_for_code(
            serializer, status_code, media_types, direction
        )
        return response

    def _schema_of(self, kind: Any, direction: Direction) -> Any:
        """Of a struct, a list of one, several of these to choose from, or what holds no struct."""
        parts = [*get_args(kind)]
        if get_origin(kind) is UnionType:
            return {"oneOf": [self._schema_of(part, direction) for part in parts]}
        if get_origin(kind) is list:
            return {"type": "array", "items": self._schema_of(parts[0], direction)}
        if get_origin(kind) is tuple:
            return msgspec.json.schema(kind)
        component = self.resolve_serializer(kind, direction)
        return component.ref if component else {"type": "object"}  # without fields

    def _problem_statuses(self) -> set[int]:
        statuses = {400, 429, *getattr(self.view, "problem_statuses", ())}
        if self.get_auth():
            statuses |= {401, 403}
        if self.method in {"POST", "PUT", "PATCH", "DELETE"}:
            statuses |= {413, 415}
        return statuses


def _description(status: int) -> str:
    return ", ".join(f"`{code}`" for code, kind in PROBLEMS.items() if kind.status == status)


def query_parameters(struct: type[msgspec.Struct]) -> list[OpenApiParameter]:
    """The fields of a struct as parameters of a query string."""
    _, components = msgspec.json.schema_components([struct], ref_template=_REF)
    schema = components[struct.__name__]
    required = set(schema.get("required", ()))
    return [
        _parameter(name, _resolve(field, components), name in required)
        for name, field in schema["properties"].items()
    ]


def _parameter(name: str, schema: dict[str, Any], required: bool) -> OpenApiParameter:
    schema = dict(schema)
    description = schema.pop("description", "")
    return OpenApiParameter(name, schema, required=required, description=description)


def _resolve(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """Without null, which a query string cannot say, and without references."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    kind = dict(kinds[0])
    if "$ref" in kind:
        kind = dict(components[kind["$ref"].rpartition("/")[2]])
    if schema.get("default") is not None:
        kind["default"] = schema["default"]
    return kind


def keep_native(endpoints: Iterable[tuple[str, str, str, Any]]) -> list[Any]:
    """Spectacular's preprocessing hook: the native API alone."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: SpectacularAutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-MBX-APIKEY",
            "description": (
                "With the query parameters `timestamp` (milliseconds), optionally `recvWindow`, "
                "and `signature`: the hexadecimal HMAC-SHA256, by the key's secret, of the raw "
                "query string without the signature followed by the raw body."
            ),
        }


class OptionalApiKeyScheme(ApiKeyScheme):
    """On public paths the key is optional, and changes only the limits."""

    target_class = "accounts.authentication.OptionalApiKeyAuthentication"
    name = "apiKeyOptional"

    def get_security_requirement(self, auto_schema: SpectacularAutoSchema) -> list[dict[str, Any]]:
        return []


class SessionScheme(drf_spectacular.authentication.SessionScheme):
    target_class = "accounts.authentication.SessionAuthentication"


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: SpectacularAutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
