"""How DRF views learn who calls: by an API key with a signature, a bearer token, or a session.

`request.auth` is the Credential of an API key, a BearerToken, or None for a session. Sessions are
DRF's own SessionAuthentication, which enforces CSRF and knows no inactive users.
"""

import time

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts.models import BearerToken, User
from accounts.selectors import Credential, get_bearer_token, get_credential
from accounts.signatures import check_timestamp, signed_request, verify
from exchange_site.api.problems import ProblemError
from exchange_site.api.strict_json import read_body

API_KEY_HEADER = "HTTP_X_MBX_APIKEY"


def client_address(request: HttpRequest | Request) -> str:
    """Behind a proxy the server puts the forwarded address here (uvicorn's --proxy-headers)."""
    return str(request.META.get("REMOTE_ADDR") or "")


def account_of(request: Request) -> int:
    """The account number of an authenticated caller."""
    account = request.user.pk
    assert account is not None, "the view lets anonymous callers in"
    return int(account)


class KnownApiKeyAuthentication(BaseAuthentication):
    """The key alone, without a signature: enough to count public requests, for nothing else."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        key = request.META.get(API_KEY_HEADER)
        if key is None:
            return None
        credential = get_credential(key=key) if len(key) <= 64 and key.isascii() else None
        if credential is None:
            raise ProblemError("INVALID_API_KEY")
        if not credential.allows_address(client_address(request)):
            raise ProblemError("ADDRESS_NOT_ALLOWED")
        return credential.user, credential

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class ApiKeyAuthentication(KnownApiKeyAuthentication):
    """The key, and a signature over the raw query and the raw body (see `signatures.py`)."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        known = super().authenticate(request)
        if known is not None:
            self._verify(request, known[1])
        return known

    def _verify(self, request: Request, credential: Credential) -> None:
        query = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
        signed = signed_request(query, read_body(request._request), form_body=False)
        if signed.signature is None:
            raise ProblemError("INVALID_SIGNATURE", "the request is not signed", field="signature")
        if not verify(credential.secret, signed.payload, signed.signature):
            raise ProblemError("INVALID_SIGNATURE", field="signature")
        fault = check_timestamp(
            request.query_params.get("timestamp"),
            request.query_params.get("recvWindow"),
            now_ms=time.time_ns() // 1_000_000,
        )
        if fault is not None:
            raise ProblemError("OUTSIDE_RECV_WINDOW", fault.value, field="timestamp")


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, of `POST /api/v1/auth/token`."""

    def authenticate(self, request: Request) -> tuple[User, BearerToken] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        row = get_bearer_token(token=token.decode("latin-1"))
        if row is None:
            raise ProblemError("INVALID_TOKEN")
        return row.user, row

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
