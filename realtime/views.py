"""The sockets' document, as JSON and for people."""

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from realtime.asyncapi.document import document


@require_safe
def schema(_: HttpRequest) -> HttpResponse:
    return JsonResponse(document())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    channels = [
        {
            "address": channel["address"],
            "description": channel["description"],
            "messages": [_message(name, m) for name, m in channel["messages"].items()],
        }
        for channel in document()["channels"].values()
    ]
    return render(request, "sockets.html", {"channels": channels})


def _message(name: str, message: dict[str, dict[str, object]]) -> dict[str, str]:
    return {"name": name, "schema": json.dumps(message["payload"], indent=2)}
