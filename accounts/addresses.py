"""Where a request comes from."""

from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: HttpRequest | Request) -> str:
    """Behind a proxy that FORWARDED_ALLOW_IPS names, the server puts the forwarded address here."""
    return str(request.META.get("REMOTE_ADDR") or "")
