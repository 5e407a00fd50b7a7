"""The whole document. Its schemas also judge, in the tests, every message that a socket sends."""

from functools import lru_cache
from types import UnionType
from typing import Any, Final, get_args, get_type_hints

import msgspec

from markets.binance import payloads
from markets.binance.endpoints import Endpoint
from realtime.api.methods import METHODS
from realtime.asyncapi import events
from realtime.asyncapi.shapes import (
    FLAG,
    INTEGER,
    REQUEST_ID,
    TEXT,
    TIME,
    Schema,
    described,
    listed,
    nullable,
    record,
)

VERSION: Final = "3"
_REFERENCE: Final = "#/components/schemas/{name}"

_STATUS: Final = record(
    {
        "apiKey": nullable(TEXT),
        "authorizedSince": nullable(TIME),
        "connectedSince": TIME,
        "returnRateLimits": FLAG,
        "serverTime": TIME,
        "userDataStream": FLAG,
    }
)
_ERROR_FIELDS: Final = {"code": INTEGER, "msg": TEXT}
_ERROR: Final = record(_ERROR_FIELDS)
_REPLACED: Final = described(
    {"$ref": _REFERENCE.format(name=payloads.Replaced.__name__)},
    "Of `order.cancelReplace` alone: what became of each of its steps.",
)
_RETRY: Final = described(
    record({"serverTime": TIME, "retryAfter": TIME}),
    "Of an exceeded limit alone: when the next try is worth while.",
)
_LIMITS: Final = listed(
    record(
        {
            "rateLimitType": TEXT,
            "interval": TEXT,
            "intervalNum": INTEGER,
            "limit": INTEGER,
            "count": INTEGER,
        }
    )
)
_SUBSCRIPTION: Final = record({"subscriptionId": INTEGER})


@lru_cache(maxsize=1)
def document() -> Schema:
    """AsyncAPI 3.0, as JSON."""
    results, components = _results()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Exchange: sockets",
            "version": VERSION,
            "description": "Streams and WebSocket API in the format of Binance's spot API; see "
            "docs/STREAMS.md and docs/WEBSOCKET_API.md.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "streams": _channel("/ws/{streams}", "Messages as they are.", _stream_messages()),
            "combined": _channel(
                "/stream", "The same, wrapped with the stream's name.", _combined_messages()
            ),
            "api": _channel("/ws-api/v3", "Requests and answers.", _api_messages(results)),
        },
        "operations": {
            f"{name}{action.title()}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name in ("streams", "combined", "api")
            for action in ("send", "receive")
        },
        "components": {"schemas": components},
    }


def schema_of_streams() -> Schema:
    """Of anything that a stream socket sends."""
    return _any_of({**_stream_messages(), **_combined_messages()})


def schema_of_result(method: str) -> Schema:
    """Of the `result` of a method of the WebSocket API."""
    results, components = _results()
    return {**results[method], "components": {"schemas": components}}


def schema_of_api() -> Schema:
    """Of anything that the WebSocket API sends, whatever the result."""
    _, components = _results()
    frames = _any_of({**_frames_of_api({}), "event": _user_event()})
    return {**frames, "components": {"schemas": components}}


def _channel(address: str, description: str, messages: dict[str, Schema]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"name": name, "payload": schema} for name, schema in messages.items()},
    }


def _stream_messages() -> dict[str, Schema]:
    return {
        **events.MARKET,
        **events.USER,
        "answer": record({"result": {}, "id": REQUEST_ID}),
        "error": record({"error": _ERROR, "id": REQUEST_ID}),
    }


def _combined_messages() -> dict[str, Schema]:
    data = _any_of({**events.MARKET, **events.USER})
    return {
        "combined": record({"stream": TEXT, "data": data}),
        "answer": _stream_messages()["answer"],
        "error": _stream_messages()["error"],
    }


def _api_messages(results: dict[str, Schema]) -> dict[str, Schema]:
    answers = {
        method: _frames_of_api(result)["answer"] | {"title": method}
        for method, result in results.items()
    }
    return {**answers, "refusal": _frames_of_api({})["refusal"], "event": _user_event()}


def _frames_of_api(result: Schema) -> dict[str, Schema]:
    limits = {"rateLimits": _LIMITS}
    error = record(_ERROR_FIELDS, {"data": {"anyOf": [_REPLACED, _RETRY]}})
    return {
        "answer": record({"id": REQUEST_ID, "status": {"const": 200}, "result": result}, limits),
        "refusal": record({"id": REQUEST_ID, "status": INTEGER, "error": error}, limits),
    }


def _user_event() -> Schema:
    return record({"subscriptionId": INTEGER, "event": _any_of(events.USER)})


def _any_of(messages: dict[str, Schema]) -> Schema:
    return {"anyOf": list(messages.values())}


def _alternatives(endpoint: Endpoint) -> tuple[Any, ...]:
    """The types of its answers, one by one: there is no schema of a union of two lists."""
    answer = get_type_hints(endpoint.answer)["return"]
    return get_args(answer) if isinstance(answer, UnionType) else (answer,)


@lru_cache(maxsize=1)
def _results() -> tuple[dict[str, Schema], dict[str, Any]]:
    """Of each method its result; and the schemas that those refer to."""
    alternatives = {name: _alternatives(each) for name, each in METHODS.items()}
    schemas, components = msgspec.json.schema_components(
        [kind for kinds in alternatives.values() for kind in kinds], ref_template=_REFERENCE
    )
    found = iter(schemas)
    results: dict[str, Schema] = {
        name: {"anyOf": [next(found) for _ in kinds]} for name, kinds in alternatives.items()
    }
    for method, single in (("orders.place", "order.place"), ("orders.cancel", "order.cancel")):
        done = record({"status": {"const": 200}, "result": results[single]})
        refused = record({"status": INTEGER, "error": _ERROR})
        results[method] = listed({"anyOf": [done, refused]})
    for method in ("session.logon", "session.status", "session.logout"):
        results[method] = _STATUS
    for method in ("userDataStream.subscribe", "userDataStream.subscribe.signature"):
        results[method] = _SUBSCRIPTION
    results["userDataStream.unsubscribe"] = record({})
    results["session.subscriptions"] = listed(_SUBSCRIPTION)
    return results, components
