"""From a request to the arguments of a service."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.request import Request

from exchange_site.api.fields import body_fields, decode_fields, decode_items, query_fields
from exchange_site.errors import FieldInvalid
from markets.api import schemas
from markets.order_terms import NewOrder, OrderId


def for_service(wanted: msgspec.Struct) -> Any:
    """All fields by name; services and selectors call a symbol a market."""
    arguments = msgspec.structs.asdict(wanted)
    if "symbol" in arguments:
        arguments["market"] = arguments.pop("symbol")
    return arguments


def with_body(request: Request, fields: dict[str, object]) -> dict[str, object]:
    """The fields of the query and those of the body; none may stand in both."""
    body = body_fields(request)
    for name in body:
        if name in fields:
            raise FieldInvalid(name, "INVALID_FIELD", "is given more than once")
    return fields | body


def query_or_body(request: Request, into: type[msgspec.Struct]) -> dict[str, object]:
    """A GET has its fields in the query, any other method there or in a JSON body."""
    fields = query_fields(request.query_params, into)
    return fields if request.method == "GET" else with_body(request, fields)


def placement(fields: Mapping[str, object]) -> NewOrder:
    """The arguments of `order_place`."""
    order: NewOrder = for_service(decode_fields(fields, schemas.OrderIn))
    return order


def order_id(fields: Mapping[str, object]) -> OrderId:
    """The arguments of `order_cancel` and `order_get`."""
    wanted: OrderId = for_service(decode_fields(fields, schemas.OrderQuery))
    check_one_id(wanted, "order_id", "client_order_id")
    return wanted


def amendment(fields: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of `order_amend`."""
    wanted: dict[str, Any] = for_service(decode_fields(fields, schemas.AmendIn))
    check_one_id(wanted, "order_id", "client_order_id")
    if all(wanted[name] is None for name in ("price", "quantity", "new_client_order_id")):
        raise FieldInvalid("price", "MISSING_FIELD", "or quantity, or new_client_order_id")
    return wanted


def replacement(fields: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of `order_replace`."""
    wanted: dict[str, Any] = for_service(decode_fields(fields, schemas.ReplaceIn))
    check_one_id(wanted, "cancel_order_id", "cancel_client_order_id")
    return wanted


def order_list(fields: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of `order_list_place`."""
    items = decode_items(fields, schemas.OrderListIn, "legs", 2)
    if items is None or len(items) != 2 or not all(isinstance(item, dict) for item in items):
        raise FieldInvalid("legs", "INVALID_FIELD", "must be two objects")
    head = {name: value for name, value in fields.items() if name != "legs"}
    wanted = decode_fields(head, schemas.OrderListHead)
    legs = [decode_fields(item, schemas.LegIn) for item in items if isinstance(item, dict)]
    common = {
        "market": wanted.symbol,
        "side": wanted.side,
        "quantity": wanted.quantity,
        "self_trade_prevention": wanted.self_trade_prevention,
    }
    return {
        "client_list_id": wanted.client_list_id,
        "legs": [common | for_service(leg) for leg in legs],
    }


def order_list_id(fields: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of `order_list_cancel`."""
    wanted: dict[str, Any] = for_service(decode_fields(fields, schemas.OrderListQuery))
    check_one_id(wanted, "list_id", "client_list_id")
    return wanted


def check_one_id(wanted: Mapping[str, Any], name: str, other: str) -> None:
    if wanted[name] is None and wanted[other] is None:
        raise FieldInvalid(name, "MISSING_FIELD", f"or {other} is required")
    if wanted[name] is not None and wanted[other] is not None:
        raise FieldInvalid(other, "INVALID_FIELD", f"either this or {name}")
