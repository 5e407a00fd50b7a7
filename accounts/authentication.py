"""How DRF views learn who calls: by an API key with a signature, a bearer token, or a session.

`request.auth` is the Credential of an API key, a BearerToken, or None for a session. Each class
says by `is_at_hand` whether it can answer without a wait, as it must in an event loop.
"""

import time

from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.addresses import client_address
from accounts.failed_calls import refuse_blocked
from accounts.models import BearerToken, User
from accounts.selectors import (
    Credential,
    bearer_token_at_hand,
    credential_at_hand,
    get_bearer_token,
    get_credential,
    knows_bearer_token,
    knows_credential,
)
from accounts.signatures import check_timestamp, signed_request, verify
from exchange_site.api.problems import ProblemError
from exchange_site.api.strict_json import read_body

API_KEY_HEADER = "HTTP_X_MBX_APIKEY"


def account_of(request: Request) -> int:
    """The account number of an authenticated caller."""
    account = request.user.pk
    assert account is not None, "the view lets anonymous callers in"
    return int(account)


class ApiKeyAuthentication(BaseAuthentication):
    """The key, and a signature over the raw query and the raw body (see `signatures.py`)."""

    def is_at_hand(self, request: Request) -> bool:
        key = request.META.get(API_KEY_HEADER)
        return key is None or credential_at_hand(key=key) is not None

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        key = request.META.get(API_KEY_HEADER)
        if key is None:
            return None
        if len(key) > 64 or not key.isascii():
            raise ProblemError("INVALID_API_KEY")
        if not knows_credential(key=key):
            refuse_blocked(request)
        credential = get_credential(key=key)
        if credential is None:
            raise ProblemError("INVALID_API_KEY")
        if not credential.allows_address(client_address(request)):
            raise ProblemError("ADDRESS_NOT_ALLOWED")
        self._verify(request, credential)
        return credential.user, credential

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def _verify(self, request: Request, credential: Credential) -> None:
        query = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
        signed = signed_request(query, read_body(request._request), form_body=False)
        if signed.signature is None:
            raise ProblemError("INVALID_SIGNATURE", "the request is not signed", field="signature")
        if not verify(credential.secret, signed.payload, signed.signature):
            raise ProblemError("INVALID_SIGNATURE", field="signature")
        fault = check_timestamp(
            _query_parameter(request, "timestamp"),
            _query_parameter(request, "recvWindow"),
            now_ms=time.time_ns() // 1_000_000,
        )
        if fault is not None:
            raise ProblemError("OUTSIDE_RECV_WINDOW", fault.value, field="timestamp")


class OptionalApiKeyAuthentication(ApiKeyAuthentication):
    """For public requests: a signed one is counted as its key's, and its key must be good.

    A key alone says nothing, for it is no secret: whoever calls is counted by address.
    """

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        if "signature" not in request.query_params:
            return None
        return super().authenticate(request)


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, of `POST /api/v1/auth/token`."""

    def is_at_hand(self, request: Request) -> bool:
        text = _bearer_token(request)
        return text is None or bearer_token_at_hand(token=text)

    def authenticate(self, request: Request) -> tuple[User, BearerToken] | None:
        text = _bearer_token(request)
        if text is None:
            return None
        if not knows_bearer_token(token=text):
            refuse_blocked(request)
        row = get_bearer_token(token=text)
        if row is None:
            raise ProblemError("INVALID_TOKEN")
        return row.user, row

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class SessionAuthentication(authentication.SessionAuthentication):
    """That of DRF, which enforces CSRF and knows no inactive users."""

    def is_at_hand(self, request: Request) -> bool:
        # Without the middleware that reads sessions there is none (`exchange_site/asgi.py`).
        return not hasattr(request._request, "user")


def _bearer_token(request: Request) -> str | None:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


def _query_parameter(request: Request, name: str) -> str | None:
    """The last one of that name, as Django reads it. Most orders have no other need of the query's
    parameters, and are not made to wait until all are read."""
    query = request.META.get("QUERY_STRING", "")
    if "%" in query or "+" in query:
        return request.query_params.get(name)
    start = f"{name}="
    found = [part for part in query.split("&") if part.startswith(start)]
    return found[-1].removeprefix(start) if found else None
